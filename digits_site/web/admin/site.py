"""The admin site of Digits."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
allow_form_methods = require_http_methods(["GET", "HEAD", "POST"])  # Django's admin takes any other method as a GET


class Site(AdminSite):
    site_header = site_title = "Digits"
    index_title = "Runs and models"
    enable_nav_sidebar = False  # few tables need no second menu, and they need the width

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return allow_form_methods(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return allow_form_methods(super().login)(request, extra_context)
