"""DRF permissions that check the account, and the scopes of its token."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from digits_site.accounts.models import SCOPES


def missing_scope(request: Request, scope: str) -> str:
    """Return the refusal for a token without the scope, or "" if it has it or the request came without a token."""
    scopes = getattr(request.auth, "scopes", None)  # a session has none
    return "" if scopes is None or scope in scopes else f"This token lacks the scope {scope!r}."


def channel_of(request: Request) -> str:
    """Return how the request came: from a `page`, where browsers send an Origin with a POST, or through the `api`."""
    return "page" if request.auth is None and "Origin" in request.headers else "api"


class ScopedPermission(BasePermission):
    """Require the permission of `scope` for the account, and the scope for a token."""

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
        return self.is_open() or bool(request.user.has_perm(SCOPES[self.scope].permission))
