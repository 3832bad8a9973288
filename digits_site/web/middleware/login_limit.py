"""Limit failed sign-ins, by address and by account.

Not a package, because django-axes counts after the password check: simultaneous guesses all pass (docs/decisions.md).
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.web.error_responses import error_response
from digits_site.web.errors import RateLimited
from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import client_address

WINDOW_SECONDS = 15 * 60
MAX_USERNAME_LENGTH = 150
ACCOUNT_FACTOR = 5  # an account takes five addresses' failures, so that one client cannot lock its owner out


@cache
def login_paths() -> frozenset[str]:
    return frozenset(map(reverse, ("sign-in", "admin:login")))


class LoginLimitMiddleware:
    """Count every attempt before the password is checked, and give a successful one back. Last in MIDDLEWARE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or settings.LOGIN_FAILURES <= 0 or request.path_info not in login_paths():
            return self.get_response(request)
        account = hash_username(request.POST.get("username", ""))
        limits = {
            f"login:address:{client_address(request)}": settings.LOGIN_FAILURES,
            f"login:account:{account}": settings.LOGIN_FAILURES * ACCOUNT_FACTOR,
        }
        counted: dict[str, int] = {}
        for key, limit in limits.items():
            retry_after = rate_limit.consume(key, 1, limit, WINDOW_SECONDS)
            if retry_after is not None:
                give_back(counted)
                message = f"Too many failed sign-in attempts. Try again in {ceil(retry_after / 60)} min."
                return error_response(RateLimited(message, retry_after=ceil(retry_after)), request)
            counted[key] = limit
        response = self.get_response(request)
        if response.status_code == 302:  # signed in; a wrong password shows the form again
            give_back(counted)
        return response


def hash_username(name: str) -> str:
    """Return one key for every spelling that Django's form takes for the same account.

    The form refuses longer names, and the time to normalize one can grow with the square of its length.
    """
    return sha256(unicodedata.normalize("NFKC", name.strip()[:MAX_USERNAME_LENGTH]).casefold().encode()).hexdigest()


def give_back(counted: Mapping[str, int]) -> None:
    for key, limit in counted.items():
        rate_limit.consume(key, -1, limit, WINDOW_SECONDS)
