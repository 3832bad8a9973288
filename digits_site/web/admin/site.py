"""The admin's site: its words, and the methods that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
only_what_forms_send = require_http_methods(["GET", "HEAD", "POST"])  # Django's own views take any method for a GET


class Site(AdminSite):
    """Runs and models, accounts and tokens."""

    site_header = site_title = "Digits"
    index_title = "Runs and models"
    enable_nav_sidebar = False  # few tables need no second menu, and they need the width

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return only_what_forms_send(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return only_what_forms_send(super().login)(request, extra_context)
