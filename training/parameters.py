"""The parameters of a request to train, of one to stop, and what people write on a run."""

import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from digits_site.web.error_responses import UNKNOWN
from digits_site.web.errors import unknown
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.models import TrainingRun
from training.serializers import TrainingParametersSerializer

LARGEST_SEED = 2**31 - 1
LARGEST_ID = 2**63 - 1
MAX_NOTES, MAX_TAGS = 5000, 10
NUMBERS = (serializers.IntegerField, serializers.FloatField)
TAG = r"^\w[\w.-]*$"
MAX_VALIDATION_SAMPLES = 10_000


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


def integer(smallest: int, largest: int) -> serializers.IntegerField:
    """Return an optional field."""
    return serializers.IntegerField(min_value=smallest, max_value=largest, allow_null=True, default=None)


class PresetField(serializers.ChoiceField):
    """A choice whose refusal names the choices."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(unknown("preset", data, self.choices), code=UNKNOWN)
        return data


class RunParameters(Parameters):
    """The parameters of a run; those absent or null are the preset's.

    The context's `bounded` refuses long runs.
    """

    preset = PresetField(choices=tuple(PRESETS), default="original")
    epochs = integer(1, 100)
    batch_size = integer(1, 4096)
    learning_rate = serializers.FloatField(min_value=1e-7, max_value=1.0, allow_null=True, default=None)
    samples = integer(16, TRAINING_DIGITS)
    validation_samples = serializers.IntegerField(
        min_value=0,
        max_value=MAX_VALIDATION_SAMPLES,
        allow_null=True,
        default=None,
        help_text="Training digits held back for validation. Null: the preset's number.",
    )
    seed = integer(0, LARGEST_SEED)
    activate = StrictBooleanField(allow_null=True, default=None)
    corrections_of = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        allow_null=True,
        default=None,
        help_text="Preset adapt: learn the corrections of this run again. Null: all accepted ones.",
    )
    from_run = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        allow_null=True,
        default=None,
        help_text="Continue this run after its last epoch, with its settings. `epochs` counts those of both.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return a value for every parameter, so that the row says how it was trained."""
        if attrs["from_run"] is not None:
            attrs = continued(attrs, self.initial_data)
        preset = PRESETS[attrs["preset"]]
        if attrs["corrections_of"] is not None and not preset.adapts:
            raise serializers.ValidationError({"corrections_of": ["Only the preset adapt learns corrections."]})
        if preset.adapts and attrs["validation_samples"] not in {None, preset.held_back}:
            reason = f"The preset adapt always holds back {preset.held_back:,} digits."
            raise serializers.ValidationError({"validation_samples": [reason]})
        generated = {
            "seed": secrets.randbelow(LARGEST_SEED + 1),
            "activate": False,
            "corrections_of": None,
            "from_run": None,
        }
        defaults = vars(preset) | generated | {"validation_samples": preset.held_back}
        values = {name: defaults[name] if value is None else value for name, value in attrs.items()}
        if self.context.get("bounded"):
            refuse_long_runs(values)
        return values


def continued(attrs: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a run that goes on from `from_run`. Raises ValidationError."""
    number = attrs["from_run"]
    earlier = TrainingRun.objects.filter(pk=number).first()
    if earlier is None or earlier.preset not in PRESETS:
        raise serializers.ValidationError({"from_run": [f"There is no run {number}."]})
    if PRESETS[earlier.preset].adapts:
        raise serializers.ValidationError({"from_run": ["A run that learns corrections cannot be continued."]})
    recipe = dict(TrainingParametersSerializer(earlier).data) | {"preset": earlier.preset}
    for name in recipe.keys() - {"epochs", "activate"}:
        if given.get(name) is not None:
            raise serializers.ValidationError({name: ["A continued run keeps the recipe of its run. Leave this out."]})
    finished, epochs = earlier.epochs.count(), attrs["epochs"] or recipe["epochs"]
    if epochs <= finished:
        reason = f"Run {number} has finished {finished}. Give a larger number: it counts the epochs of both runs."
        raise serializers.ValidationError({"epochs": [reason]})
    return {**attrs, **recipe, "epochs": epochs, "activate": attrs["activate"]}


def refuse_long_runs(values: Mapping[str, Any]) -> None:
    """Raise ValidationError unless the run ends within minutes: no more steps than a preset without augmentation.

    The preset adapt augments few digits, and takes a minute.
    """
    preset = PRESETS[values["preset"]]
    reasons = {}
    if preset.augmented and not preset.adapts:
        reasons["preset"] = f"Visitors cannot use the preset {values['preset']}, because it takes too long."
    if values["epochs"] > preset.epochs:
        reasons["epochs"] = f"Visitors can train at most {preset.epochs} epochs."
    if values["batch_size"] < preset.batch_size:
        reasons["batch_size"] = f"Visitors need a batch size of at least {preset.batch_size}."
    if preset.adapts and values["samples"] > preset.samples:
        reasons["samples"] = f"Visitors can train on at most {preset.samples:,} samples."
    if reasons:
        raise serializers.ValidationError({name: [reason] for name, reason in reasons.items()})


class StopParameters(Parameters):
    """The run to stop: the active one if none is named."""

    run = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, allow_null=True, default=None)


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


class StartParameters(RunParameters, RunDescription):
    """A request to train: the run's parameters and description, and whether it waits for its turn."""

    queue = StrictBooleanField(
        allow_null=True,
        default=None,
        help_text="Wait for other runs to end, instead of being refused while one is active.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return {"run": the parameters, "queue": bool, "description": what was written}."""
        description = {name: attrs.pop(name) for name in ("name", "notes", "tags") if name in attrs}
        queue = bool(attrs.pop("queue"))
        return {"run": super().validate(attrs), "queue": queue, "description": description}
