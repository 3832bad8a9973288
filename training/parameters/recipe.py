"""The parameters of a run: its recipe, completed from a preset or from the run that it continues."""

import secrets
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.models import TrainingRun
from training.parameters.fields import LARGEST_ID, Parameters, PresetField, StrictBooleanField, integer
from training.serializers import TrainingParametersSerializer

LARGEST_SEED = 2**31 - 1
MAX_VALIDATION_SAMPLES = 10_000


class RunParameters(Parameters):
    """The parameters of a run; those absent or null are the preset's.

    The context's `bounded` refuses long runs.
    """

    preset = PresetField(choices=tuple(PRESETS), default="original")
    epochs = integer(1, 100)
    batch_size = integer(1, 4096)
    learning_rate = serializers.FloatField(min_value=1e-7, max_value=1.0, allow_null=True, default=None)
    samples = integer(16, TRAINING_DIGITS)
    validation_samples = integer(
        0, MAX_VALIDATION_SAMPLES, "Training digits held back for validation. Null: the preset's number."
    )
    seed = integer(0, LARGEST_SEED)
    activate = StrictBooleanField(allow_null=True, default=None)
    corrections_of = integer(
        1, LARGEST_ID, "Preset adapt: learn the corrections of this run again. Null: all accepted ones."
    )
    from_run = integer(
        1, LARGEST_ID, "Continue this run after its last epoch, with its settings. `epochs` counts those of both."
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
