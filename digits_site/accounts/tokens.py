"""Make access tokens, for the command and for the admin."""

from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.models import User

from digits_site.accounts.models import SCOPES, AccessToken

DEFAULT_DAYS, MAX_DAYS = 90, 36_500


def create_token(account: User, name: str, scopes: Collection[str], days: int | None) -> tuple[AccessToken, str]:
    """Store a token, and return it with its text, which is stored nowhere.

    Args:
        days: Until it expires; None or 0 for never.
    """
    expiry = timedelta(days=days) if days else None
    ordered = [scope for scope in SCOPES if scope in scopes]
    made: tuple[AccessToken, str] = AccessToken.objects.create(
        account, expiry=expiry, name=name[: AccessToken._meta.get_field("name").max_length], scopes=ordered
    )
    return made


def missing_permissions(token: AccessToken) -> list[str]:
    """Return a sentence for each scope that the token's account may not use yet."""
    needed = {scope: SCOPES[scope].permission for scope in token.scopes}
    return [
        f"{token.user} may not do that yet: {scope} needs the permission {permission}."
        for scope, permission in needed.items()
        if not token.user.has_perm(permission)
    ]
