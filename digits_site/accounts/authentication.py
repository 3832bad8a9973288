"""DRF authentication: an access token, or a session cookie with its CSRF token."""

import re
from typing import Any

import knox.auth
from django.conf import settings
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from digits_site.accounts.models import AccessToken

TOKEN = re.compile(rb"digits_[0-9a-f]{64}")


class TokenAuthentication(knox.auth.TokenAuthentication):
    """`Authorization: Token digits_…`. Wrong, expired and revoked tokens get the same 401."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """Refuse what has not the form of a token without a query. Raises AuthenticationFailed."""
        if not TOKEN.fullmatch(token):
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)

    def _cleanup_token(self, auth_token: AccessToken) -> bool:
        """Return whether the token has expired. knox deletes it here, but a read should not write."""
        return auth_token.expired


class SessionAuthentication(authentication.SessionAuthentication):
    """A session counts only with its CSRF token. Where training is open, a request without one is anonymous.

    The same holds for views with `is_open = True`: a page without the token may send what everybody may.
    The legacy page stops a run by a beacon, which carries cookies but cannot carry the token. OriginMiddleware has
    already refused other sites' pages.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except PermissionDenied:
            view = (request.parser_context or {}).get("view")
            if settings.TRAINING_OPEN or getattr(view, "is_open", False):
                return None
            raise
