"""{% account_name as account %}: who is signed in, for the head of every page."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.db import Error as AnyDatabaseError

register = template.Library()


@register.simple_tag(takes_context=True)
def account_name(context: Mapping[str, Any]) -> str:
    """Return the account's name, or "" for a visitor. Pages also open while the database is away."""
    user = getattr(context.get("request"), "user", None)  # a refusal may come before the session is read
    try:
        return user.get_username() if user is not None and user.is_authenticated else ""
    except AnyDatabaseError:
        return ""
