"""The actions on a run in the admin: their explanations and their effects."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse

from digits_site.web.admin.actions import AdminAction, Explanation, NothingToDo
from recognition.admin import MAY_ACTIVATE, explain_service, put_into_service, reason_form
from training import services, stopping
from training.admin.descriptions import DESCRIBE
from training.admin.forms import ChangesForm, ContinueForm, parameters_of
from training.errors import NoCheckpoint, NoModel, NotInProgress
from training.learner.presets import PRESETS
from training.models import RunCorrections, Status, StoppedVia, TrainingRun
from training.services import MAY_TRAIN
from training.starting_points import can_continue


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


def explain_continue(run: TrainingRun) -> Explanation:
    """Explain a new run that goes on from the last epoch. Raises NoCheckpoint, NothingToDo if it used corrections."""
    if run.preset in PRESETS and PRESETS[run.preset].adapts:
        raise NothingToDo("A run that learns corrections cannot be continued.")
    if not can_continue(run):
        raise NoCheckpoint(run.pk)
    explanation = explain_again(run)
    sentence = f"A new run goes on after epoch {run.epochs.count()} of {run}, with its recipe, in your name."
    return replace(
        explanation, sentences=[sentence, f"It begins with a copy of those epochs, and {run} stays as it is."]
    )


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


def continue_run(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: int
) -> str:
    """Queue a run that goes on from the last epoch of `run`. Raises NoCheckpoint."""
    new = services.request_run(services.RunRequest.of(values, waits=True), by=request.user, expected_last=state)
    return announce(model_admin, request, new, f"Continues {run}.")


def train_on_same(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: int
) -> str:
    """Queue a run with the parameters and the corrections of `run`. Raises CorrectionsGone."""
    wanted = services.RunRequest.of(parameters_of(run) | {"corrections_of": run.pk}, waits=True)
    new = services.request_run(wanted, by=request.user, expected_last=state)
    return announce(model_admin, request, new, f"Trained again on the corrections of {run}.")


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
    "describe": DESCRIBE,
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
    "continue": AdminAction("Continue", MAY_TRAIN, can_continue, explain_continue, continue_run, ContinueForm),
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
