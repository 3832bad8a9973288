"""What an account must be allowed, and a token for it must name, before a view is entered."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from digits_site.accounts.models import SCOPES


def missing_scope(request: Request, scope: str) -> str:
    """What to tell a token that lacks the scope, in every mode; "" for one that has it, and where no token speaks.

    A token is what `request.auth` holds when it has `scopes`; a session has none and needs none.
    """
    scopes = getattr(request.auth, "scopes", None)
    return "" if scopes is None or scope in scopes else f"This token lacks the scope {scope!r}."


class ScopedPermission(BasePermission):
    """The permission of `scope` for the account; and where a token speaks for it, that scope for the token as well."""

    scope: ClassVar[str]
    refusal: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        missing = missing_scope(request, self.scope)
        self.message = missing or self.refusal
        return not missing and self.account_may(request)

    def is_open(self) -> bool:
        """Whether anonymous callers have this permission too."""
        return False

    def account_may(self, request: Request) -> bool:
        return bool(request.user.has_perm(SCOPES[self.scope].permission))
