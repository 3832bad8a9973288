"""The admin site of Digits."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
allow_form_methods = require_http_methods(["GET", "HEAD", "POST"])  # Django's admin takes any other method as a GET
ID = re.compile("[0-9]{1,18}")


def refuse_wrong_selection(view: View) -> View:
    """Refuse a list's action on what is no ID, which Django would look up in the database, and fail."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not all(ID.fullmatch(pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("The selection has no IDs.")
        return view(request, *args, **kwargs)

    return cast("View", checked)


@method_decorator(allow_form_methods, name="login")
class Site(AdminSite):
    site_header = site_title = "Digits"
    index_title = "Runs and models"
    enable_nav_sidebar = False  # few tables need no second menu, and they need the width

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return allow_form_methods(super().admin_view(refuse_wrong_selection(view), cacheable))
