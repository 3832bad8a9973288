"""Admin pages that act: each act says first what it will do, needs a permission, and is told about and logged after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse


@dataclass(frozen=True)
class Explanation:
    """What an act will do, in sentences; `warnings` are what may make somebody think again."""

    sentences: list[str]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Act:
    """Something to be done with one object. `perform` gets the admin, the request, the object and the form's values."""

    button: str
    permission: str
    offered: Callable[[Any], bool]
    explain: Callable[[Any], Explanation]
    perform: Callable[[admin.ModelAdmin, HttpRequest, Any, Mapping[str, Any]], None]
    form: Callable[..., forms.Form] | None = None


class ReadOnlyAdmin(admin.ModelAdmin):
    """A history: looked at and acted on, never typed in."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActingAdmin(ReadOnlyAdmin):
    """The acts stand in the list's menu and as links on the object's page, for those who may."""

    change_form_template = "admin/acting_form.html"
    acts: ClassVar[dict[str, Act]] = {}
    refusals: ClassVar[tuple[type[Exception], ...]] = ()

    def allowed(self, request: HttpRequest) -> dict[str, Act]:
        return {name: act for name, act in self.acts.items() if request.user.has_perm(act.permission)}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        choices = {name: (partial(choose, name=name), name, act.button) for name, act in self.allowed(request).items()}
        return super().get_actions(request) | choices

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        known = self.get_object(request, object_id)
        offered = [
            (act.button, self.url_of(known, name))
            for name, act in self.allowed(request).items()
            if known and act.offered(known)
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "acts": offered})

    def url_name(self, name: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}"

    def url_of(self, known: Model, act: str) -> str:
        return reverse(self.url_name("act"), args=[known.pk, act])

    def get_urls(self) -> list[Any]:
        name = self.url_name("act").removeprefix("admin:")
        return [path("<int:pk>/act/<str:name>/", self.admin_site.admin_view(self.act), name=name), *super().get_urls()]

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """GET says what will happen; POST does it and goes back to the object's page."""
        if name not in self.acts:
            raise Http404
        act = self.allowed(request).get(name)
        if act is None:
            raise PermissionDenied
        known = get_object_or_404(self.get_queryset(request), pk=pk)
        form = act.form(known, data=request.POST or None) if act.form else None
        page = reverse(self.url_name("change"), args=[pk])
        if request.method != "POST" or (form and not form.is_valid()):
            return ask(self, request, act.button, known, act.explain(known), page, form)
        try:
            act.perform(self, request, known, form.cleaned_data if form else {})
        except self.refusals as error:
            self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(page)


def choose(page: ActingAdmin, request: HttpRequest, queryset: QuerySet[Any], *, name: str) -> HttpResponse | None:
    """From the list's menu: every act concerns one object."""
    if len(chosen := list(queryset[:2])) == 1:
        return HttpResponseRedirect(page.url_of(chosen[0], name))
    page.message_user(request, f"Select one {page.opts.verbose_name}.", messages.ERROR)
    return None


def ask(
    page: admin.ModelAdmin,
    request: HttpRequest,
    button: str,
    known: Model | None,
    explanation: Explanation,
    back: str,
    form: forms.Form | None = None,
) -> TemplateResponse:
    """The page between a wish and its deed."""
    context = {
        **page.admin_site.each_context(request),
        "title": f"{button}: {known}" if known else button,
        "opts": page.opts,
        "original": known,
        "button": button,
        "explanation": explanation,
        "form": form,
        "back": back,
    }
    return TemplateResponse(request, "admin/confirm.html", context)
