"""Who is calling: an access token, or a session cookie with its CSRF token."""

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
        """Raises AuthenticationFailed; what cannot be a token is not looked for."""
        if not TOKEN.fullmatch(token):
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)

    def _cleanup_token(self, auth_token: AccessToken) -> bool:
        """Whether it has expired. knox deletes such rows here; a read should not write, and the list shows them."""
        return auth_token.expired


class SessionAuthentication(authentication.SessionAuthentication):
    """A session counts only with its CSRF token; where training is open, a call without one is an anonymous call.

    The original's page stops by a beacon, which carries the browser's cookies but cannot carry the token. Another
    site's page has been refused before this, by its origin.
    """

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except PermissionDenied:
            if settings.TRAINING_OPEN:
                return None
            raise
