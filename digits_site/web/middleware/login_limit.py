"""Guesses at a password: how many an address may make at the admin's sign-in, and how many are made at one account."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from math import ceil

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.web import errors
from digits_site.web.error_responses import error_response
from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import address_of

WINDOW_SECONDS = 15 * 60
LONGEST_NAME = 150
ADDRESSES = 5  # an account takes the guesses of so many, so that one stranger alone keeps nobody out


@cache
def sign_in() -> str:
    return reverse("admin:login")


class LoginLimitMiddleware:
    """Last in MIDDLEWARE. Every try is counted before the password is looked at; one that succeeds is given back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or settings.LOGIN_FAILURES <= 0 or request.path_info != sign_in():
            return self.get_response(request)
        limits = {
            f"login:address:{address_of(request)}": settings.LOGIN_FAILURES,
            f"login:account:{account_named(request.POST.get('username', ''))}": settings.LOGIN_FAILURES * ADDRESSES,
        }
        counted: dict[str, int] = {}
        for key, most in limits.items():
            wait = rate_limit.count(key, 1, most, WINDOW_SECONDS)
            if wait >= 0:
                give_back(counted)
                return too_many(request, wait)
            counted[key] = most
        response = self.get_response(request)
        if response.status_code == 302:  # signed in; a wrong password shows the form again
            give_back(counted)
        return response


def account_named(name: str) -> str:
    """A key for the account that Django's form would make of a name, however it is written.

    The form takes no longer ones, and to normalise some takes time that grows with the square of their length.
    """
    return sha256(unicodedata.normalize("NFKC", name.strip()[:LONGEST_NAME]).casefold().encode()).hexdigest()


def give_back(counted: Mapping[str, int]) -> None:
    for key, most in counted.items():
        rate_limit.count(key, -1, most, WINDOW_SECONDS)


def too_many(request: HttpRequest, wait: float) -> HttpResponse:
    text = f"Too many failed sign-in attempts. Try again in {ceil(wait / 60)} min."
    return error_response(errors.RateLimited(text, retry_after=ceil(wait)), request)
