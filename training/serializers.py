"""A run as the API, snapshots and pages show it."""

from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recognition.api.serializers import ComparisonSerializer
from recognition.models import Activation
from training.history import lineage
from training.learner.presets import PRESETS
from training.models import Epoch, Status, StoppedVia, TrainingRun


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


def queue_positions() -> dict[int, int]:
    """Return the places of the waiting runs, from 1, by their numbers."""
    return {pk: place for place, pk in enumerate(TrainingRun.objects.waiting().values_list("pk", flat=True), 1)}


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
    baseline = serializers.BooleanField(source="is_baseline", help_text="Whether other runs are compared with it.")
    tags = serializers.SerializerMethodField()
    queue_position = serializers.SerializerMethodField(help_text="Its place among the waiting runs, from 1.")
    environment = serializers.DictField(
        child=serializers.CharField(), help_text="Commit, lock file, processor, cores and TensorFlow's flags, if known."
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
            *("id", "name", "notes", "tags", "baseline"),
            *("status", "queue_position", "preset", "parameters", "continues", "requested_by"),
            *("queued_at", "started_at", "finished_at", "stop_requested_at", "stopped_by", "stopped_via"),
            *("attempt", "resumed_after_epoch"),
            *("max_epochs", "epochs"),
            *("test_accuracy", "calibration_error", "confusion", "versions", "environment"),
            *("model", "in_service", "error_code", "error"),
            *("base", "corrections", "comparison", "not_activated"),
        )
        extra_kwargs = {
            "test_accuracy": {"min_value": 0, "max_value": 1},
            "model": {"help_text": "The model that the run published."},
            "continues": {"help_text": "The run that it continues."},
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
    def tags_of_runs(self) -> dict[int, list[str]]:
        return lineage.tags_of(self.runs)

    def get_tags(self, run: TrainingRun) -> list[str]:
        return self.tags_of_runs.get(run.pk, [])

    @cached_property
    def positions(self) -> dict[int, int]:
        return queue_positions()

    def get_queue_position(self, run: TrainingRun) -> int | None:
        return self.positions.get(run.pk, 1) if run.status == Status.WAITING else None  # if it has left meanwhile

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
