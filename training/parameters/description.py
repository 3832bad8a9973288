"""What people write on a run: name, notes and tags."""

import unicodedata
from typing import Any

from rest_framework import serializers

from training.parameters.fields import Parameters, StrictBooleanField

MAX_NOTES, MAX_TAGS = 5000, 10
TAG = r"^\w[\w.-]*$"


def normalize_tag(text: str) -> str:
    """Return a tag as it is stored and searched: composed (NFC), in lower case."""
    return unicodedata.normalize("NFC", text.lower())


class TagField(serializers.RegexField):
    def to_internal_value(self, data: Any) -> str:
        return normalize_tag(super().to_internal_value(data))


class TagsField(serializers.ListField):
    """Words, each once, sorted."""

    child = TagField(
        TAG, max_length=40, error_messages={"invalid": "A tag is one word of letters, digits, “_”, “-” and “.”."}
    )

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted(set(super().to_internal_value(data)))


def check_printable(name: str) -> None:
    """Refuse what moves the cursor or turns the direction of writing around. Raises ValidationError."""
    if not name.isprintable():
        raise serializers.ValidationError("A name is one line of printable characters.")


class RunDescription(Parameters):
    """What people write on a run; what is absent stays."""

    name = serializers.CharField(max_length=100, allow_blank=True, required=False, validators=[check_printable])
    notes = serializers.CharField(max_length=MAX_NOTES, allow_blank=True, required=False)
    tags = TagsField(max_length=MAX_TAGS, required=False, help_text="Letters, digits, `_`, `-` and `.`.")


class ChangedDescription(RunDescription):
    baseline = StrictBooleanField(required=False, help_text="Whether other runs are compared with it. One run can be.")
