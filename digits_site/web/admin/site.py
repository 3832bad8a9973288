"""The admin site of Digits."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib.admin import AdminSite
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
allow_form_methods = require_http_methods(["GET", "HEAD", "POST"])  # Django's admin takes any other method as a GET


@method_decorator(allow_form_methods, name="login")
class Site(AdminSite):
    site_header = site_title = "Digits"
    index_title = "Runs and models"
    enable_nav_sidebar = False  # few tables need no second menu, and they need the width

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return allow_form_methods(super().admin_view(view, cacheable))
