"""Admin actions on one object, or on several: each is explained, confirmed, performed at most once, and logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from digits_site.web.errors import ApiError, StateChanged

STATE_FIELD = "confirmed_state"
MAX_SELECTED = 100  # rows of one action: each is changed and logged before the response


class NothingToDo(Exception):
    """The action has been performed already. The message is shown to the user."""


@dataclass(frozen=True)
class Explanation:
    """What an action will do.

    Attributes:
        state: What the sentences depend on. The page carries it, and a POST with another state does nothing.
        latest_change: How the state came about, for a user who confirmed an earlier one.
    """

    sentences: list[str]
    warnings: list[str] = field(default_factory=list)
    state: int | str = ""
    latest_change: str = ""


@dataclass(frozen=True)
class AdminAction:
    """An action on one object.

    Attributes:
        offered: Whether the object's page shows the action's link.
        explain: Raises NothingToDo, or an ApiError, if there is nothing to confirm.
        form: Takes the object and the data of a POST; returns None if this object needs no form.
        perform: Takes the admin, the request, the object, the form's values and the confirmed state. Raises
            StateChanged if that state no longer holds when it writes. Returns where to go then, None for the object's
            page, or the response itself.
        submit: What the form's button says, if not `button`.
        several: The action on a list of objects, for two or more that were selected in the admin's list. None: it
            takes one.
    """

    button: str
    permission: str
    offered: Callable[[Any], bool]
    explain: Callable[[Any], Explanation]
    perform: Callable[[admin.ModelAdmin, HttpRequest, Any, Mapping[str, Any], Any], str | HttpResponse | None]
    form: Callable[..., forms.Form | None] | None = None
    submit: str = ""
    several: AdminAction | None = None


class ActionAdmin(admin.ModelAdmin):
    """A history that nobody can edit.

    It offers `object_actions` in the list's menu and as links on the object's page, to users with the permission.
    """

    change_form_template = "admin/action_form.html"
    object_actions: ClassVar[dict[str, AdminAction]] = {}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission

    def permitted_actions(self, request: HttpRequest) -> dict[str, AdminAction]:
        return {
            name: action for name, action in self.object_actions.items() if request.user.has_perm(action.permission)
        }

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        permitted = self.permitted_actions(request)
        choices = {name: (partial(redirect_to_action, name=name), name, a.button) for name, a in permitted.items()}
        return super().get_actions(request) | choices

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        obj = self.get_object(request, object_id)
        offered = [
            (action.button, self.url_of("act", obj.pk, name))
            for name, action in self.permitted_actions(request).items()
            if obj and action.offered(obj)
        ]
        context = {**(extra_context or {}), "object_actions": offered, **(self.page_context(obj) if obj else {})}
        return super().change_view(request, object_id, form_url, context)

    def page_context(self, obj: Any) -> dict[str, Any]:
        """Return more context for the object's page."""
        return {}

    def url_of(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        return [path("<int:pk>/act/<str:name>/", self.admin_site.admin_view(self.act), name=name), *super().get_urls()]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Confirm and perform an action, then redirect to the object's page."""
        if name not in self.object_actions:
            raise Http404
        find = partial(get_object_or_404, self.get_queryset(request), pk=pk)
        return confirm(self, request, self.object_actions[name], find, self.url_of("change", pk))


def redirect_to_action(
    model_admin: ActionAdmin, request: HttpRequest, queryset: QuerySet[Any], *, name: str
) -> HttpResponse | None:
    """Redirect from the list's menu to the action's page, which takes one object, or act on several."""
    if len(chosen := list(queryset[:2])) == 1:
        return HttpResponseRedirect(model_admin.url_of("act", chosen[0].pk, name))
    if several := model_admin.object_actions[name].several:
        rows = model_admin.get_queryset(request)
        return confirm_selected(
            model_admin, request, queryset, name, several, lambda chosen: list(rows.filter(pk__in=chosen))
        )
    model_admin.message_user(request, f"Select one {model_admin.opts.verbose_name}.", messages.ERROR)
    return None


def confirm_selected(
    model_admin: ActionAdmin,
    request: HttpRequest,
    queryset: QuerySet[Any],
    name: str,
    action: AdminAction,
    find: Callable[[list[int]], Any],
) -> HttpResponse | None:
    """Confirm and perform an action on the rows that were selected in the list, then redirect to the list."""
    chosen = list(queryset.values_list("pk", flat=True)[: MAX_SELECTED + 1])
    if len(chosen) > MAX_SELECTED:
        model_admin.message_user(request, f"Select at most {MAX_SELECTED}.", messages.ERROR)
        return None
    hidden = [("action", name), *((ACTION_CHECKBOX_NAME, str(pk)) for pk in chosen)]
    return confirm(model_admin, request, action, partial(find, chosen), model_admin.url_of("changelist"), hidden)


def confirm(
    model_admin: ActionAdmin,
    request: HttpRequest,
    action: AdminAction,
    find: Callable[[], Any],
    back: str,
    hidden: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """Explain an action (GET), or perform it (POST) if the confirmed state still holds, else explain it again.

    Afterwards redirect to `back`, or to where the action leads. The form repeats the fields of `hidden`.
    """
    if not request.user.has_perm(action.permission):
        raise PermissionDenied
    try:
        obj = find()
        confirmed = request.POST.get(STATE_FIELD)  # None: a GET, or the POST of the list's menu
        form = action.form(obj, data=None if confirmed is None else request.POST) if action.form else None
        explanation = action.explain(obj)
        if confirmed == str(explanation.state) and (form is None or form.is_valid()):
            try:
                values = form.cleaned_data if form else {}
                result = action.perform(model_admin, request, obj, values, explanation.state)
                return result if isinstance(result, HttpResponse) else HttpResponseRedirect(result or back)
            except StateChanged:  # after `explain`, a moment ago
                obj = find()
                explanation = action.explain(obj)
    except NothingToDo as reason:
        model_admin.message_user(request, str(reason), messages.INFO)
        return HttpResponseRedirect(back)
    except ApiError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(back)
    original = obj if isinstance(obj, model_admin.model) else None
    shown: dict[str, Any] = {"form": form, "original": original, "hidden": hidden, "submit": action.submit}
    return confirmation_page(model_admin, request, action.button, explanation, back, **shown)


def confirmation_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    button: str,
    explanation: Explanation,
    back: str,
    *,
    form: forms.Form | None = None,
    original: Any = None,
    hidden: Sequence[tuple[str, str]] = (),
    submit: str = "",
) -> HttpResponse:
    """Return the page that explains what `button` will do, again if another state was confirmed than that of now."""
    confirmed = request.POST.get(STATE_FIELD)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{button}: {original}" if original else button,
        "opts": model_admin.opts,
        "original": original,
        "button": button,
        "submit": submit or button,
        "explanation": explanation,
        "changed": confirmed is not None and confirmed != str(explanation.state),
        "state_field": STATE_FIELD,
        "form": form,
        "hidden": hidden,
        "back": back,
    }
    return TemplateResponse(request, "admin/confirm.html", context)
