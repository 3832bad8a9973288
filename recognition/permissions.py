"""What an account must be allowed, and a token for it must name, before a view is entered."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


def missing_scope(request: Request, scope: str) -> str:
    """What to tell a token that lacks the scope, in every mode; "" for one that has it, and where no token speaks.

    A token is what `request.auth` holds when it has `scopes`; a session has none and needs none.
    """
    scopes = getattr(request.auth, "scopes", None)
    return "" if scopes is None or scope in scopes else f"This token lacks the scope {scope!r}."


class ScopedPermission(BasePermission):
    """The account's `permission`; and where a token speaks for it, the token's `scope` as well."""

    permission: ClassVar[str]
    scope: ClassVar[str]
    refusal: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        missing = missing_scope(request, self.scope)
        self.message = missing or self.refusal
        return not missing and self.account_may(request)

    def account_may(self, request: Request) -> bool:
        return bool(request.user.has_perm(self.permission))


class MayActivate(ScopedPermission):
    """Accounts with recognition.add_activation, in every mode: strangers may train, but not choose what serves."""

    permission = "recognition.add_activation"
    scope = "activate"
    refusal = "Putting a model into service needs an account with the permission 'Can add activation'."
