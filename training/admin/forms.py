"""The forms of new runs in the admin, validated as in the API."""

from typing import Any

from django import forms
from rest_framework.serializers import Serializer

from training.learner.presets import PRESETS
from training.models import TrainingRun
from training.parameters.recipe import RunParameters
from training.serializers import TrainingParametersSerializer

ACTIVATE = "Put the model into service if it is at least as accurate as the current one."


def parameters_of(run: TrainingRun) -> dict[str, Any]:
    """Return the preset and all parameters of a run."""
    return {"preset": run.preset, **TrainingParametersSerializer(run).data}


class ChangesForm(forms.Form):
    """A form of a run's parameters, validated as in the API."""

    preset = forms.ChoiceField(choices=[(name, name) for name in PRESETS])
    epochs = forms.IntegerField()
    batch_size = forms.IntegerField()
    learning_rate = forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}))
    samples = forms.IntegerField()
    validation_samples = forms.IntegerField(
        required=False, help_text="Training digits held back for validation. Leave empty for the preset's number."
    )
    seed = forms.IntegerField(required=False, help_text="Leave empty for a random seed.")
    activate = forms.BooleanField(required=False, help_text=ACTIVATE)

    def __init__(self, run: TrainingRun, data: Any = None) -> None:
        super().__init__(data, initial=parameters_of(run), label_suffix="")

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data if self.errors else validate_as_api(self, RunParameters(data=self.cleaned_data))


def validate_as_api(form: forms.Form, serializer: Serializer[Any]) -> dict[str, Any]:
    """Validate as the API does, and return what it would take; each error appears beside its field."""
    if serializer.is_valid():
        return dict(serializer.validated_data)
    for field, reasons in serializer.errors.items():
        lists = reasons.values() if isinstance(reasons, dict) else [reasons]  # a list's errors come by index
        form.add_error(field if field in form.fields else None, [str(reason) for each in lists for reason in each])
    return form.cleaned_data


class ContinueForm(forms.Form):
    """How far a run goes on; the rest is the recipe of its run."""

    epochs = forms.IntegerField(help_text="Counts the epochs of both runs.")
    activate = forms.BooleanField(required=False, help_text=ACTIVATE)

    def __init__(self, run: TrainingRun, data: Any = None) -> None:
        self.run, planned = run, run.parameters["epochs"]
        is_short = run.epochs.count() < planned
        super().__init__(data, initial={"epochs": planned if is_short else 2 * planned}, label_suffix="")

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data | {"from_run": self.run.pk}
        return self.cleaned_data if self.errors else validate_as_api(self, RunParameters(data=given))
