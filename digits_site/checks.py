"""Settings that contradict each other, found before anything is served.

`manage.py check` lists them; the web server and the worker call `refuse_unsafe_start`, so that a deployment that
forgot something does not start at all. Everything that is missing is listed at once, with what to do about it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from digits_site.observability.logging import FORMATS
from recognition.storage import storage
from training.learner.config import KERAS_LEARNER

SHORTEST_KEY, FEWEST_CHARACTERS = 50, 5  # as Django's own deployment check
RATE = re.compile(r"\d+/(s|sec|second|m|min|minute|h|hour|d|day)")
ORIGIN = re.compile(r"https?://[^/\s*@?#]+")
HOST = re.compile(r"\.?([a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)
WHOLE_DOMAIN = re.compile(r"\.[^.]+")  # .com: every host under it


@register()
def check_start(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Everything that forbids a start in the chosen mode."""
    if settings.DIGITS_MODE == "local":
        return [*value_errors(), *local_errors()]
    if settings.DIGITS_MODE == "public":
        return [*value_errors(), *public_errors()]
    return [
        Error(
            f"DIGITS_MODE is {settings.DIGITS_MODE!r}, which is neither 'local' nor 'public'.",
            hint="Leave it out for this machine alone; set DIGITS_MODE=public to serve others.",
            id="digits.E001",
        )
    ]


@register(Tags.security, deploy=True)
def check_proxies(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """What is no reason not to start, and is rarely meant."""
    if settings.LOCAL or settings.TRUSTED_PROXIES:
        return []
    return [
        CheckWarning(
            "TRUSTED_PROXIES is 0: behind a proxy all visitors have its address, and share its limits.",
            hint="Say how many proxies of yours stand in front: TRUSTED_PROXIES=1",
            id="digits.W001",
        )
    ]


def value_errors() -> Iterator[CheckMessage]:
    """What would be found only when it is used, in the middle of a request or a run."""
    if settings.PREDICT_RATE and not RATE.fullmatch(settings.PREDICT_RATE):
        yield Error(
            f"PREDICT_RATE is {settings.PREDICT_RATE!r}, which is no rate.",
            hint="Write a number of drawings per sec, min, hour or day: PREDICT_RATE=120/min",
            id="digits.E009",
        )
    if settings.LOG_FORMAT not in FORMATS:
        yield Error(
            f"LOG_FORMAT is {settings.LOG_FORMAT!r}, which is neither 'line' nor 'json'.",
            hint="Leave it out for lines in local mode and JSON in public mode.",
            id="digits.E020",
        )
    if not settings.MNIST_DIR.is_dir():
        yield Error(
            f"MNIST_DIR is {str(settings.MNIST_DIR)!r}, and there is no such folder.",
            hint="Leave it out to train on the files in the repository.",
            id="digits.E010",
        )
    if not is_function_path(settings.LEARNER):
        yield Error(
            f"LEARNER is {settings.LEARNER!r}, and there is no such module.",
            hint=f"Leave it out to train with Keras, or name a function: LEARNER={KERAS_LEARNER}",
            id="digits.E021",
        )
    try:
        storage(settings.MODEL_STORAGE_URL, settings.DATA_DIR)
    except ValueError as error:
        yield Error(
            f"MODEL_STORAGE_URL names no place for model files. {error}",
            hint="Leave it out for a folder in DATA_DIR, or name a bucket: MODEL_STORAGE_URL=s3://bucket/prefix",
            id="digits.E011",
        )


def is_function_path(path: str) -> bool:
    """Whether the module of `module.function` can be found. It is not imported: TensorFlow takes seconds."""
    module, _, name = path.rpartition(".")
    try:
        return bool(module) and name.isidentifier() and find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def local_errors() -> Iterator[CheckMessage]:
    """Local mode asks nobody for a password, so nobody else may reach it."""
    if not names_this_machine(settings.HOST):
        yield Error(
            f"Local mode serves this machine only, but HOST is {settings.HOST!r}.",
            hint="Use HOST=127.0.0.1, or DIGITS_MODE=public with its settings to serve others.",
            id="digits.E002",
        )


def names_this_machine(host: str) -> bool:
    """Whether nobody else can reach what listens there; of names that is known of one alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def public_errors() -> Iterator[CheckMessage]:
    """What a server that strangers reach must have."""
    key = settings.SECRET_KEY
    if not settings.SECRET_KEY_GIVEN or len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        yield Error(
            "SECRET_KEY is too easy to guess." if settings.SECRET_KEY_GIVEN else "SECRET_KEY is missing.",
            hint="Set it to a long random text: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="digits.E003",
        )
    yield from host_errors()
    yield from origin_errors()
    if not settings.REDIS_PASSWORD_GIVEN:
        yield Error(
            "REDIS_URL has no password.",
            hint="Give Redis a password and name it: REDIS_URL=redis://:PASSWORD@host:6379/0 (rediss:// with TLS)",
            id="digits.E006",
        )
    if settings.LEARNER != KERAS_LEARNER:
        yield Error(
            f"LEARNER is {settings.LEARNER!r}; public mode trains with Keras only.",
            hint="Leave LEARNER out: others are for tests.",
            id="digits.E022",
        )
    if settings.DEBUG:
        yield Error("DEBUG is on.", hint="Leave DEBUG out: its error pages show settings and code.", id="digits.E007")
    if not settings.HTTPS:
        yield Error(
            "HTTPS is off.",
            hint="Leave HTTPS out, and let a proxy with a certificate stand in front (deploy/nginx.conf).",
            id="digits.E008",
        )


def host_errors() -> Iterator[CheckMessage]:
    """A host that is not named is refused, so that nobody's domain can be pointed at this service."""
    hosts = settings.ALLOWED_HOSTS
    wrong = [host for host in hosts if not HOST.fullmatch(host) or WHOLE_DOMAIN.fullmatch(host)]
    if wrong or not hosts:
        yield Error(
            f"ALLOWED_HOSTS has what names no host: {', '.join(wrong)}." if wrong else "ALLOWED_HOSTS is missing.",
            hint="Name the hosts this service answers to, without scheme and port: ALLOWED_HOSTS=digits.example.org",
            id="digits.E004",
        )


def origin_errors() -> Iterator[CheckMessage]:
    """Pages of other sites send requests with a visitor's cookies: only named origins may, which nobody can forge."""
    origins = settings.TRUSTED_ORIGINS
    wrong = [origin for origin in origins if not ORIGIN.fullmatch(origin) or not origin.startswith("https:")]
    if wrong or not origins:
        yield Error(
            f"TRUSTED_ORIGINS or FRONTEND_URL has what is no origin with https: {', '.join(wrong)}."
            if wrong
            else "TRUSTED_ORIGINS is missing.",
            hint="Name the pages that may call, with scheme and without a path: TRUSTED_ORIGINS=https://digits.example.org",
            id="digits.E005",
        )


def refuse_unsafe_start() -> None:
    """Raise one readable error that lists everything `check_start` found."""
    errors = check_start()
    if errors:
        lines = [f"  {error.id}  {error.msg}\n               {error.hint}" for error in errors]
        raise ImproperlyConfigured("These settings must be put right before anything is served:\n" + "\n".join(lines))
