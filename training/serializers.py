"""A run as the API, snapshots and pages show it, and the parameters of a request."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from digits_site.web.error_responses import UNKNOWN
from digits_site.web.errors import unknown
from recognition.api.serializers import ComparisonSerializer
from recognition.models import Activation
from training import lineage
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.models import Epoch, StoppedVia, TrainingRun

LARGEST_SEED = 2**31 - 1
MAX_VALIDATION_SAMPLES = 10_000


class EpochSerializer(serializers.ModelSerializer[Epoch]):
    class Meta:
        model = Epoch
        fields = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "objective", "learning_rate", "seconds")


class EpochsOfRuns(serializers.ListSerializer[Any]):
    """The epochs of all serialized runs, from one query and without model instances: there may be ten thousand."""

    @cached_property
    def by_run(self) -> dict[int, list[dict[str, Any]]]:
        run: Any = self.parent
        epochs: dict[int, list[dict[str, Any]]] = {each.pk: [] for each in run.runs}
        rows = Epoch.objects.filter(run__in=epochs).order_by("epoch").values("run_id", *EpochSerializer.Meta.fields)
        for row in rows:
            values: dict[str, Any] = dict(row)
            epochs[values.pop("run_id")].append(values)
        return epochs

    def to_representation(self, data: Any) -> list[dict[str, Any]]:
        return self.by_run[data.pk]


class TrainingParametersSerializer(serializers.Serializer[Any]):
    """A run's parameters, complete, in the order that people see: PostgreSQL's jsonb keeps none.

    A run from before there was `validation_samples` held back what its preset does.
    """

    epochs = serializers.IntegerField(min_value=1)
    batch_size = serializers.IntegerField(min_value=1)
    learning_rate = serializers.FloatField(min_value=0)
    samples = serializers.IntegerField(min_value=1)
    validation_samples = serializers.IntegerField(min_value=0, help_text="Held back from training for validation.")
    seed = serializers.IntegerField(min_value=0)
    activate = serializers.BooleanField()

    def to_representation(self, instance: TrainingRun) -> dict[str, Any]:
        preset = PRESETS.get(instance.preset)
        values = {"validation_samples": preset.held_back if preset else 0, **instance.parameters}
        return {name: values[name] for name in map(str, self.fields)}


CONFUSION_ROW = {"type": "array", "minItems": 10, "maxItems": 10, "items": {"type": "integer", "minimum": 0}}


@extend_schema_field({"type": ["array", "null"], "minItems": 10, "maxItems": 10, "items": CONFUSION_ROW})
class ConfusionField(serializers.JSONField):
    pass


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    """One run. A list of runs looks up the model in service once."""

    parameters = TrainingParametersSerializer(source="*")
    confusion = ConfusionField(
        help_text="Confusion matrix: a row for each true digit, a column for each predicted one."
    )
    versions = serializers.DictField(child=serializers.CharField(), help_text="Of the libraries.")
    requested_by = serializers.CharField(source="requester")
    stopped_by = serializers.CharField(
        source="stopper",
        allow_null=True,
        help_text="A user's name or `anonymous`; null if nobody stopped it, or if it is not known who.",
    )
    stopped_via = serializers.ChoiceField(
        StoppedVia.choices, source="stop_channel", allow_blank=True, help_text="How it was stopped, if it was."
    )
    max_epochs = serializers.IntegerField(source="parameters.epochs")
    epochs = EpochsOfRuns(child=EpochSerializer(), source="*", read_only=True)
    in_service = serializers.SerializerMethodField()
    corrections = serializers.SerializerMethodField(help_text="How many it learned, and how many judge its model.")
    comparison = serializers.SerializerMethodField(help_text="Of its model with `base`.")

    class Meta:
        model = TrainingRun
        fields = (
            *("id", "status", "preset", "parameters", "requested_by"),
            *("queued_at", "started_at", "finished_at", "stop_requested_at", "stopped_by", "stopped_via"),
            *("attempt", "resumed_after_epoch"),
            *("max_epochs", "epochs"),
            *("test_accuracy", "calibration_error", "confusion", "versions"),
            *("model", "in_service", "error_code", "error"),
            *("base", "corrections", "comparison", "not_activated"),
        )
        extra_kwargs = {
            "test_accuracy": {"min_value": 0, "max_value": 1},
            "model": {"help_text": "The model that the run published."},
            "base": {"help_text": "The model whose weights the run began with."},
        }

    @property
    def runs(self) -> Any:
        """Return all runs that are serialized together."""
        return self.parent.instance if isinstance(self.parent, serializers.ListSerializer) else [self.instance]

    @cached_property
    def serving(self) -> int | None:
        return Activation.current_model_id()

    def get_in_service(self, run: TrainingRun) -> bool:
        return run.model_id is not None and run.model_id == self.serving

    @cached_property
    def corrections_of_runs(self) -> dict[int, dict[str, Any]]:
        return lineage.corrections_of(self.runs)

    @extend_schema_field(lineage.RunCorrectionsSerializer(allow_null=True))
    def get_corrections(self, run: TrainingRun) -> dict[str, Any] | None:
        return self.corrections_of_runs.get(run.pk)

    @cached_property
    def comparisons_of_runs(self) -> dict[tuple[int | None, int | None], dict[str, Any]]:
        return lineage.comparisons_of(self.runs)

    @extend_schema_field(ComparisonSerializer(allow_null=True))
    def get_comparison(self, run: TrainingRun) -> dict[str, Any] | None:
        return self.comparisons_of_runs.get((run.base_id, run.model_id))


class RunSummarySerializer(RunSerializer):
    """A run in a list: the number of finished epochs, and the epochs if the context's `include` names them."""

    finished_epochs = serializers.IntegerField(read_only=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "finished_epochs")  # type: ignore[assignment]
        optional_fields = ("epochs",)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        if "epochs" not in self.context.get("include", ()):
            del fields["epochs"]
        return fields


def represent(run: TrainingRun) -> dict[str, Any]:
    """Return one run as plain JSON data."""
    return dict(RunSerializer(run).data)


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
            if isinstance(value, bool) and not isinstance(self.fields[name], serializers.BooleanField):
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
        max_value=2**63 - 1,
        allow_null=True,
        default=None,
        help_text="Preset adapt: learn the corrections of this run again. Null: all accepted ones.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return a value for every parameter, so that the row says how it was trained."""
        preset = PRESETS[attrs["preset"]]
        if attrs["corrections_of"] is not None and not preset.adapts:
            raise serializers.ValidationError({"corrections_of": ["Only the preset adapt learns corrections."]})
        if preset.adapts and attrs["validation_samples"] not in {None, preset.held_back}:
            reason = f"The preset adapt always holds back {preset.held_back:,} digits."
            raise serializers.ValidationError({"validation_samples": [reason]})
        generated = {"seed": secrets.randbelow(LARGEST_SEED + 1), "activate": False, "corrections_of": None}
        defaults = vars(preset) | generated | {"validation_samples": preset.held_back}
        values = {name: defaults[name] if value is None else value for name, value in attrs.items()}
        if self.context.get("bounded"):
            refuse_long_runs(values)
        return values


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

    run = serializers.IntegerField(min_value=1, max_value=2**63 - 1, allow_null=True, default=None)
