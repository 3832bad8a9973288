"""Objects of parameters, and fields, that take nothing but what is documented."""

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from digits_site.web.error_responses import UNKNOWN
from digits_site.web.errors import unknown

LARGEST_ID = 2**63 - 1
NUMBERS = (serializers.IntegerField, serializers.FloatField)


class StrictBooleanField(serializers.BooleanField):
    """Accepts true and false alone, not "yes" or 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Parameters(serializers.Serializer[Any]):
    """An object of known names; unknown ones are refused, as they may be misspelled."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({"non_field_errors": ["The parameters must be a JSON object."]})
        if isinstance(data, QueryDict):
            data = form_values(data)
        for name in data:
            if name not in self.fields:
                message = unknown("parameter", name, self.fields)
                raise serializers.ValidationError({name: [message]}, code=UNKNOWN)
        for name, value in data.items():
            if isinstance(value, bool) and isinstance(self.fields[name], NUMBERS):
                raise serializers.ValidationError({name: ["A number is required."]})  # True is an int in Python
        return super().to_internal_value(data)


def form_values(form: QueryDict) -> dict[str, Any]:
    """Return a form's values without Django's CSRF token, as JSON would hold them; an empty field is not null."""
    for name, values in form.lists():
        if len(values) > 1:
            raise serializers.ValidationError({name: ["Give this parameter only once."]})
    return {name: value for name, value in form.items() if name != "csrfmiddlewaretoken"}


def integer(smallest: int, largest: int, help_text: str | None = None) -> serializers.IntegerField:
    """Return an optional field."""
    return serializers.IntegerField(
        min_value=smallest, max_value=largest, allow_null=True, default=None, help_text=help_text
    )


class PresetField(serializers.ChoiceField):
    """A choice whose refusal names the choices."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(unknown("preset", data, self.choices), code=UNKNOWN)
        return data
