"""The form of a run that is to be trained with changes."""

from __future__ import annotations

from typing import Any

from django import forms

from training.learner.presets import PRESETS
from training.models import TrainingRun
from training.serializers import RunParameters


class ChangesForm(forms.Form):
    """Filled with a run's parameters; what it takes is decided by the API's own rules."""

    preset = forms.ChoiceField(choices=[(name, name) for name in PRESETS])
    epochs = forms.IntegerField()
    batch_size = forms.IntegerField()
    learning_rate = forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}))
    samples = forms.IntegerField()
    seed = forms.IntegerField(required=False, help_text="Empty: a new one.")
    activate = forms.BooleanField(
        required=False, help_text="Put the model into service if it is at least as accurate as the one there."
    )

    def __init__(self, run: TrainingRun, data: Any = None) -> None:
        super().__init__(data, initial={"preset": run.preset, **run.parameters}, label_suffix="")

    def clean(self) -> dict[str, Any]:
        """Errors stand beside the fields that they are about."""
        given = self.cleaned_data
        parameters = RunParameters(data=given)
        if not self.errors and not parameters.is_valid():
            for field, reasons in parameters.errors.items():
                self.add_error(field if field in self.fields else None, [str(reason) for reason in reasons])
            return given
        return given if self.errors else dict(parameters.validated_data)
