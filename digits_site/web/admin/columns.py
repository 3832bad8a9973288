"""Columns that several admins have."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from digits_site.web.formatting import time_tag


def time_column(field: str, description: str) -> Callable[[Any, Any], SafeString]:
    """Return a method of a ModelAdmin that shows the object's time in `field`, for its lists and pages."""

    @admin.display(description=description, ordering=field)
    def column(self: Any, obj: Any) -> SafeString:
        return time_tag(getattr(obj, field))

    return column
