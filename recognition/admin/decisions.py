"""The decisions that the wall of corrections sends: by its form, or by its script, which takes JSON."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from recognition.corrections import reviewing
from recognition.corrections.reviewing import LABEL_NAMES, Outcome, State
from recognition.models import Correction

MAY_REVIEW = "recognition.change_correction"
MAX_SELECTED = 1000  # one page has 100
STATES = {"accept": State.ACCEPTED, "reject": State.REJECTED, "pending": State.PENDING}
DONE = {"accept": "accepted", "reject": "rejected", "pending": "set to pending", "undo": "restored"}
LABELS = {str(label): label for label in LABEL_NAMES}


def decide(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Carry out a decision (POST) and return to the wall, or tell its script what became of each correction.

    Raises PermissionDenied, and BadRequest for a decision or selection that the wall does not send.
    """
    query = request.META.get("QUERY_STRING", "")
    wall = f"{reverse('admin:recognition_correction_changelist')}{'?' if query else ''}{query}"
    if request.method != "POST":  # who signs in again comes here
        return HttpResponseRedirect(wall)
    if not request.user.has_perm(MAY_REVIEW):
        raise PermissionDenied
    decision = request.POST.get("decision", "")
    outcome = carry_out(model_admin, request, decision)
    level, text = describe(decision, outcome)
    if not request.accepts("text/html"):
        tiles = facts(outcome.everything)
        return JsonResponse({"level": messages.DEFAULT_TAGS[level], "message": text, "tiles": tiles})
    model_admin.message_user(request, text, level)
    return HttpResponseRedirect(wall)


def carry_out(model_admin: admin.ModelAdmin, request: HttpRequest, decision: str) -> Outcome:
    by = cast("User", request.user)
    if decision == "undo":
        return reviewing.undo(by)
    if decision in STATES:
        return reviewing.review(selected(model_admin, request), STATES[decision], by)
    if decision in LABELS:
        return reviewing.review(selected(model_admin, request), State.ACCEPTED, by, LABELS[decision])
    raise BadRequest("There is no such decision.")


def selected(model_admin: admin.ModelAdmin, request: HttpRequest) -> QuerySet[Correction]:
    """Return the selected corrections: those of the wall's page, or all that its filters match.

    Corrections that are newer than the wall's page are in neither. Raises BadRequest.
    """
    if request.POST.get("select_across") == "1":
        try:
            matching: QuerySet[Correction] = model_admin.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("The filters are not the wall's.") from error
        newest = request.POST.get("newest", "")
        if not is_id(newest):
            raise BadRequest("The selection is not one of the wall's.")
        return matching.filter(pk__lte=newest)
    pks = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    if len(pks) > MAX_SELECTED or not all(map(is_id, pks)):
        raise BadRequest("The selection is not one of the wall's.")
    return Correction.objects.filter(pk__in=pks)


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def describe(decision: str, outcome: Outcome) -> tuple[int, str]:
    """Return the level and the text of the message about an outcome."""
    changed, duplicates, superseded = len(outcome.changed), len(outcome.duplicates), len(outcome.superseded)
    if not outcome.everything:
        text = "There is no decision to undo." if decision == "undo" else "Nothing changed. Select other corrections."
        return messages.WARNING, text
    sentences = []
    if changed:
        done = DONE.get(decision) or f"relabelled “{LABEL_NAMES[LABELS[decision]]}” and accepted"
        sentences.append(f"{count_of(changed)} {done}.")
    if duplicates:
        other = "another correction gives its picture" if duplicates == 1 else "other corrections give their pictures"
        sentences.append(f"{count_of(duplicates)} rejected, because {other} the new label.")
    if superseded:
        picture = "its picture" if superseded == 1 else "their pictures"
        sentences.append(f"{count_of(superseded)} rejected, because {picture} got another label.")
    return messages.WARNING if duplicates or superseded else messages.SUCCESS, " ".join(sentences)


def count_of(count: int) -> str:
    return f"{count} correction{'' if count == 1 else 's'}"


def facts(pks: list[int]) -> list[dict[str, Any]]:
    """Return what the wall shows anew of the corrections of one page."""
    rows = Correction.objects.filter(pk__in=pks[:MAX_SELECTED]).order_by().values_list("pk", "state", "label")
    return [{"id": pk, "state": state, "label": LABEL_NAMES[label]} for pk, state, label in rows]
