"""The actions on a run in the admin: their explanations and their effects."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from rest_framework.serializers import Serializer

from digits_site.web.admin.actions import AdminAction, Explanation, NothingToDo
from recognition.admin import MAY_ACTIVATE, explain_service, put_into_service, reason_form
from training import services, stopping
from training.errors import NoModel, NotInProgress
from training.history.description import describe
from training.learner.presets import PRESETS
from training.models import RunCorrections, Status, StoppedVia, TrainingRun
from training.parameters import ChangedDescription, RunParameters
from training.serializers import TrainingParametersSerializer
from training.services import MAY_TRAIN


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
    activate = forms.BooleanField(
        required=False, help_text="Put the model into service if it is at least as accurate as the current one."
    )

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


def explain_stop(run: TrainingRun) -> Explanation:
    """Raise NotInProgress for a run that has ended, NothingToDo for one that is stopping."""
    status = run.get_status_display()
    if run.has_ended:
        raise NotInProgress(f"Run {run.pk} has already ended ({status}).")
    if run.status == Status.WAITING:
        sentence = f"Run {run.pk} (preset {run.preset}, started by {run.requester_name}) waits for other runs to end."
        return Explanation([sentence, "It will be cancelled, and stays in the history."], state=run.status)
    if run.stop_requested_at:
        raise NothingToDo(f"Run {run.pk} is already stopping.")
    count = run.epochs.count()
    kept = (
        f"{count} finished epoch{pluralize(count, ' stays,s stay')} in the history"
        if count
        else "No epoch has finished"
    )
    return Explanation(
        [
            f"Run {run.pk} (preset {run.preset}, started by {run.requester_name}) is {status} and will stop.",
            f"{kept}; no model will be saved.",
        ],
        state=run.status,
        latest_change=f"Run {run.pk} is {status}.",
    )


def explain_again(run: TrainingRun) -> Explanation:
    """Explain a new run. The state is the highest run number, which changes when somebody else adds a run."""
    last = TrainingRun.objects.last_number()
    active = TrainingRun.objects.active().newest()
    busy = [f"Run {active.pk} is already training. The new run waits until it has ended."] if active else []
    sentence = f"A new run of the preset {run.preset} will be queued in your name."
    return Explanation([sentence], busy, state=last, latest_change=f"Run {last} was added.")


def explain_same(run: TrainingRun) -> Explanation:
    """Explain a new run on the same corrections. Raises NothingToDo for a run that used none."""
    used = RunCorrections.objects.filter(run=run).defer("pictures").first()
    if used is None:
        raise NothingToDo(f"{run} used no corrections.")
    explanation = explain_again(run)
    sentence = f"It learns the same {used.count} corrections and is tested on the same {used.held_out} held-out ones."
    return replace(explanation, sentences=[*explanation.sentences, sentence])


def explain_activation(run: TrainingRun) -> Explanation:
    """Explain what the run's model will do. Raises NoModel for a run without one."""
    if run.model is None:
        raise NoModel
    return explain_service(run.model)


def stop_run(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: str
) -> None:
    stopping.request_stop(run.pk, by=request.user, expected=Status(state), via=StoppedVia.ADMIN)
    model_admin.message_user(
        request, f"{run} is {'cancelled' if state == Status.WAITING else 'stopping'}.", messages.SUCCESS
    )


def train_again(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: int
) -> str:
    """Queue a run with the form's parameters, or with those of `run`."""
    how = "parameters like those of" if values else "the parameters of"
    wanted = services.RunRequest.of(values or parameters_of(run), waits=True)
    new = services.request_run(wanted, by=request.user, expected_last=state)
    return announce(model_admin, request, new, f"Trained again with {how} {run}.")


def train_on_same(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: int
) -> str:
    """Queue a run with the parameters and the corrections of `run`. Raises CorrectionsGone."""
    wanted = services.RunRequest.of(parameters_of(run) | {"corrections_of": run.pk}, waits=True)
    new = services.request_run(wanted, by=request.user, expected_last=state)
    return announce(model_admin, request, new, f"Trained again on the corrections of {run}.")


class DescriptionForm(forms.Form):
    """What people write on a run, validated as in the API."""

    name = forms.CharField(required=False)
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    tags = forms.CharField(required=False, help_text="Words, separated by spaces.")
    baseline = forms.BooleanField(required=False, help_text="Other runs are compared with it.")

    def __init__(self, run: TrainingRun, data: Any = None) -> None:
        tags = " ".join(map(str, run.tags.all()))
        initial = {"name": run.name, "notes": run.notes, "tags": tags, "baseline": run.is_baseline}
        super().__init__(data, initial=initial, label_suffix="")

    def clean(self) -> dict[str, Any]:
        tags = self.cleaned_data.get("tags", "").split()
        return validate_as_api(self, ChangedDescription(data=self.cleaned_data | {"tags": tags}))


def describe_run(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: str
) -> None:
    describe(run, values, by=request.user)
    model_admin.message_user(request, f"{run} is changed.", messages.SUCCESS)


def announce(model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, how: str) -> str:
    """Log a run that was queued, and return the address of its page."""
    model_admin.log_addition(request, run, how)
    run.refresh_from_db()
    model_admin.message_user(request, f"{run} is {run.get_status_display()}.", messages.SUCCESS)
    return reverse("admin:training_trainingrun_change", args=[run.pk])


def activate(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: int
) -> None:
    if run.model is None:
        raise NoModel
    put_into_service(model_admin, request, run.model, values, state)


ACTIONS = {
    "describe": AdminAction(
        "Name and tags",
        MAY_TRAIN,
        lambda run: True,
        lambda run: Explanation([f"What you write on {run} is for finding it again. Everybody can read it."]),
        describe_run,
        DescriptionForm,
    ),
    "stop": AdminAction("Stop run", MAY_TRAIN, lambda run: not run.has_ended, explain_stop, stop_run),
    "train_again": AdminAction("Train again", MAY_TRAIN, lambda run: run.has_ended, explain_again, train_again),
    "train_with_changes": AdminAction(
        "Train with changes",
        MAY_TRAIN,
        lambda run: run.has_ended,
        explain_again,
        train_again,
        ChangesForm,
    ),
    "train_on_same": AdminAction(
        "Train again on the same corrections",
        MAY_TRAIN,
        lambda run: run.base_id is not None and run.has_ended,
        explain_same,
        train_on_same,
    ),
    "activate": AdminAction(
        "Put into service",
        MAY_ACTIVATE,
        lambda run: run.model_id is not None and not run.in_service,
        explain_activation,
        activate,
        lambda run, data=None: reason_form(run.model, data) if run.model else None,
    ),
}
