"""What an account must be allowed, and a token for it must name, before a view is entered."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class ScopedPermission(BasePermission):
    """The account's `permission`; and where a token speaks for it, the token's `scope`, in every mode.

    A token is what `request.auth` holds when it has `scopes`; a session has none and needs none.
    """

    permission: ClassVar[str]
    scope: ClassVar[str]
    refusal: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        self.message = self.refusal
        scopes = getattr(request.auth, "scopes", None)
        if scopes is not None and self.scope not in scopes:
            self.message = f"This token lacks the scope {self.scope!r}."
            return False
        return self.account_may(request)

    def account_may(self, request: Request) -> bool:
        return bool(request.user.has_perm(self.permission))


class MayActivate(ScopedPermission):
    """Accounts with recognition.add_activation, in every mode: strangers may train, but not choose what serves."""

    permission = "recognition.add_activation"
    scope = "activate"
    refusal = "Putting a model into service needs an account with the permission to do so."
