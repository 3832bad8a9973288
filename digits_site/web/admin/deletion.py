"""Deletion in the admin: of one object or of several, explained, confirmed and logged."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from digits_site.web.admin.actions import ActionAdmin, AdminAction, confirm, confirm_selected


class DeletingAdmin(ActionAdmin):
    """Offers `deletion`, an action on what `selection` returns, where Django offers its own."""

    deletion: ClassVar[AdminAction]
    actions: Any = ("delete_selected",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(self.deletion.permission))

    def selection(self, request: HttpRequest, rows: list[Any]) -> Any:
        """Return what the deletion's functions take for these rows."""
        return rows

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        def find() -> Any:
            row = self.get_object(request, unquote(object_id))
            if row is None:  # no such row, or no number
                raise Http404
            return self.selection(request, [row])

        return confirm(self, request, self.deletion, find, self.url_of("changelist"))

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return confirm_selected(
            self, request, queryset, "delete_selected", self.deletion, partial(self.find_selected, request)
        )

    def find_selected(self, request: HttpRequest, chosen: list[int]) -> Any:
        return self.selection(request, list(self.model._default_manager.filter(pk__in=chosen)))
