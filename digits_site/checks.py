"""System checks of the settings.

`manage.py check` lists what they find. Web server and worker call `refuse_unsafe_start`, and do not start until all of
it is fixed.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from digits_site.observability.logging import FORMATS
from digits_site.web.middleware.hosts import is_loopback
from digits_site.web.middleware.origins import parse_origin
from recognition.storage import storage
from training.learner.config import KERAS_LEARNER

MIN_LOST_SECONDS = 3.0  # six heartbeats
MAX_DAYS = 36_500  # Python's dates begin in the year 1
MIN_KEY_LENGTH, MIN_KEY_CHARACTERS = 50, 5  # as in Django's own deployment check
RATE = re.compile(r"\d+/(s|sec|second|m|min|minute|h|hour|d|day)")
HOST = re.compile(r"\.?([a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)
TOP_LEVEL_DOMAIN = re.compile(r"\.[^.]+")  # .com matches every host under it


@register()
def check_start(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Return every error that forbids a start in the chosen mode."""
    if settings.DIGITS_MODE == "local":
        return [*value_errors(), *local_errors()]
    if settings.DIGITS_MODE == "public":
        return [*value_errors(), *public_errors()]
    message = f"DIGITS_MODE is {settings.DIGITS_MODE!r}, which is neither 'local' nor 'public'."
    hint = "Leave it out to serve this machine only. Set DIGITS_MODE=public to serve others."
    return [Error(message, hint, id="digits.E001")]


@register(Tags.security, deploy=True)
def check_proxies(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Warn of settings that are allowed but rarely intended."""
    if settings.LOCAL or settings.TRUSTED_PROXIES:
        return []
    message = "TRUSTED_PROXIES is 0: behind a proxy all visitors share its address and its limits."
    hint = "Set it to the number of your proxies in front of this service: TRUSTED_PROXIES=1"
    return [CheckWarning(message, hint, id="digits.W001")]


def value_errors() -> Iterator[CheckMessage]:
    """Find values that would otherwise fail in the middle of a request or a run."""
    if settings.PREDICT_RATE and not RATE.fullmatch(settings.PREDICT_RATE):
        message = f"PREDICT_RATE is {settings.PREDICT_RATE!r}, which is not a rate."
        hint = "Write a number of drawings per sec, min, hour or day: PREDICT_RATE=120/min"
        yield Error(message, hint, id="digits.E009")
    if settings.CORRECTION_RATE and not RATE.fullmatch(settings.CORRECTION_RATE):
        message = f"CORRECTION_RATE is {settings.CORRECTION_RATE!r}, which is not a rate."
        hint = "Write a number of corrections per sec, min, hour or day: CORRECTION_RATE=30/min"
        yield Error(message, hint, id="digits.E024")
    if settings.LOG_FORMAT not in FORMATS:
        message = f"LOG_FORMAT is {settings.LOG_FORMAT!r}, which is neither 'line' nor 'json'."
        yield Error(message, "Leave it out: local mode logs lines, public mode JSON.", id="digits.E020")
    if not settings.MNIST_DIR.is_dir():
        message = f"MNIST_DIR is {str(settings.MNIST_DIR)!r}, which is not a folder."
        yield Error(message, "Leave it out to train on the files in the repository.", id="digits.E010")
    if settings.RUN_LOST_SECONDS < MIN_LOST_SECONDS:
        message = f"RUN_LOST_SECONDS is {settings.RUN_LOST_SECONDS:g}: a busy worker's heartbeat can be later."
        yield Error(message, f"Set it to {MIN_LOST_SECONDS:g} or more, or leave it out.", id="digits.E023")
    for name in ("CORRECTION_DAYS", "WEBHOOK_DAYS"):
        if (days := getattr(settings, name)) > MAX_DAYS:
            yield Error(f"{name} is {days}.", f"Set it to {MAX_DAYS} or less; 0 is for ever.", id="digits.E025")
    if not is_function_path(settings.LEARNER):
        message = f"LEARNER is {settings.LEARNER!r}, and there is no such module."
        hint = f"Leave it out to train with Keras, or name a function: LEARNER={KERAS_LEARNER}"
        yield Error(message, hint, id="digits.E021")
    try:
        storage(settings.MODEL_STORAGE_URL, settings.DATA_DIR)
    except ValueError as error:
        message = f"MODEL_STORAGE_URL is invalid. {error}"
        hint = "Leave it out for a folder in DATA_DIR, or name a bucket: MODEL_STORAGE_URL=s3://bucket/prefix"
        yield Error(message, hint, id="digits.E011")


def is_function_path(path: str) -> bool:
    """Return whether the module of `module.function` exists, without importing TensorFlow."""
    module, _, name = path.rpartition(".")
    try:
        return bool(module) and name.isidentifier() and find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def local_errors() -> Iterator[CheckMessage]:
    """Local mode asks for no password, so it must not be reachable from elsewhere."""
    if not is_loopback(settings.HOST):
        message = f"Local mode serves this machine only, but HOST is {settings.HOST!r}."
        hint = "Use HOST=127.0.0.1, or DIGITS_MODE=public with its settings to serve others."
        yield Error(message, hint, id="digits.E002")


def public_errors() -> Iterator[CheckMessage]:
    """A public server must not start without these."""
    key = settings.SECRET_KEY
    if not settings.SECRET_KEY_GIVEN or len(key) < MIN_KEY_LENGTH or len(set(key)) < MIN_KEY_CHARACTERS:
        message = "SECRET_KEY is too easy to guess." if settings.SECRET_KEY_GIVEN else "SECRET_KEY is missing."
        hint = "Set it to a long random text: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        yield Error(message, hint, id="digits.E003")
    yield from host_errors()
    yield from origin_errors()
    if not settings.REDIS_PASSWORD_GIVEN:
        message = "REDIS_URL has no password."
        hint = "Give Redis a password and name it: REDIS_URL=redis://:PASSWORD@host:6379/0 (rediss:// with TLS)"
        yield Error(message, hint, id="digits.E006")
    if settings.LEARNER != KERAS_LEARNER:
        message = f"LEARNER is {settings.LEARNER!r}; public mode trains with Keras only."
        yield Error(message, "Leave LEARNER out: others are for tests.", id="digits.E022")
    if settings.DEBUG:
        yield Error("DEBUG is on.", hint="Leave DEBUG out: its error pages show settings and code.", id="digits.E007")
    if not settings.HTTPS:
        message = "HTTPS is off."
        hint = "Leave HTTPS out, and put a proxy with a certificate in front (deploy/nginx.conf)."
        yield Error(message, hint, id="digits.E008")


def host_errors() -> Iterator[CheckMessage]:
    """Other hosts are refused, so that no other domain can be pointed at this service."""
    hosts = settings.ALLOWED_HOSTS
    wrong = [host for host in hosts if not HOST.fullmatch(host) or TOP_LEVEL_DOMAIN.fullmatch(host)]
    if wrong or not hosts:
        message = f"ALLOWED_HOSTS has invalid entries: {', '.join(wrong)}." if wrong else "ALLOWED_HOSTS is missing."
        hint = "Name the hosts this service answers to, without scheme and port: ALLOWED_HOSTS=digits.example.org"
        yield Error(message, hint, id="digits.E004")


def origin_errors() -> Iterator[CheckMessage]:
    """Browsers send a visitor's cookies with requests of other sites' pages, so every trusted origin must be exact."""
    origins = settings.TRUSTED_ORIGINS
    wrong = [origin for origin in origins if (parse_origin(origin) or [""])[0] != "https"]
    if wrong or not origins:
        message = "TRUSTED_ORIGINS is missing."
        if wrong:
            message = f"TRUSTED_ORIGINS or FRONTEND_URL has entries that are not https origins: {', '.join(wrong)}."
        hint = "Name the pages that may call, with scheme but no path: TRUSTED_ORIGINS=https://digits.example.org"
        yield Error(message, hint, id="digits.E005")


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured with everything that `check_start` found."""
    errors = check_start()
    if errors:
        lines = [f"  {error.id}  {error.msg}\n               {error.hint}" for error in errors]
        raise ImproperlyConfigured("Fix these settings first:\n" + "\n".join(lines))
