"""Each caller asks for each route, and what comes of it is put into a word or two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context  # what a stream's request leaves set stays in it
from typing import Any
from unittest.mock import patch

from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connection, transaction
from django.test import AsyncClient, RequestFactory, override_settings
from django.test.client import ClientHandler

from digits_site.accounts.models import AccessToken
from digits_site.asgi import websocket_application
from digits_site.web.admin.actions import STATE_FIELD
from digits_site.webhooks.models import WebhookDelivery
from recognition.deletion import plan_models
from recognition.models import Activation
from tests.support.access.routes import ANY_OTHER, address
from tests.support.access.table import CALLERS, Row
from tests.support.access.world import CSRF, PARAMETERS, World, permissions, scopes
from tests.support.admin_pages import MODELS, RUNS
from tests.support.drawings import data_url, draw, encode
from training.history.deletion import plan_runs
from training.live.consumers import TrainingConsumer
from training.models import Status, TrainingRun

HOST, EVIL = "testserver", "https://another.example"  # the test clients' own word
PUBLIC = {
    "DIGITS_MODE": "public",
    "LOCAL": False,
    "ALLOWED_HOSTS": [HOST],
    **{name: [f"https://{HOST}"] for name in ("TRUSTED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS")},
    "TRAINING_OPEN": False,
    "TRAINING_COOLDOWN": 600,
    "METRICS_TOKEN": "not the token of any account",
    **dict.fromkeys(("HTTPS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"), True),
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}
# How often a caller may ask is tested elsewhere; slow password hashing would only cost time.
OFTEN: dict[str, Any] = {
    "LOGIN_FAILURES": 0,
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "CACHES": {alias: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for alias in settings.CACHES},
}
SETTINGS = {"public": PUBLIC | OFTEN, "open": PUBLIC | OFTEN | {"TRAINING_OPEN": True}, "local": OFTEN}
DRAWING = data_url(encode(draw(7)))
BODIES: dict[str, dict[str, Any]] = {path: {"drawing": DRAWING} for path in ("/api/drawing/", "/api/number/")}
BODIES |= {"/api/runs/<int:pk>/": {"name": "morning shift"}}
BODIES |= {"/api/drawings/": {"drawings": [DRAWING]}, "/api/corrections/": {"drawing": DRAWING, "label": 1}}
ACCOUNT = {"username": "eve", "usable_password": "true"}
ACCOUNT |= dict.fromkeys(("password1", "password2"), "a long enough password")
ACCOUNT |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
FORM = PARAMETERS | {"preset": "fast", "post": "yes", "name": "morning shift", "scopes": "train"} | ACCOUNT
FORM |= {"url": "https://1.0.0.1/", "events": "run.error", "enabled": "on"}


@contextmanager
def asking(world: World, mode: str) -> Iterator[Asking]:
    """Ask in one mode, with its settings."""
    # Without the patch a connection would be closed inside the transaction that it holds.
    with override_settings(**SETTINGS[mode]), patch("channels.db.close_old_connections"):
        yield Asking(world, mode)


class Asking:
    """Requests in one mode to one world. No request leaves a trace in it.

    The handlers are kept: they load the middleware, which looks at the settings of the mode, once. Requests go straight
    to them, because Django's test client copies the context of every template.
    """

    def __init__(self, world: World, mode: str) -> None:
        self.world, self.mode = world, mode
        self.scheme = "http" if mode == "local" else "https"
        self.leaks: list[str] = []
        self.handler = ClientHandler(enforce_csrf_checks=True)
        self.async_client = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)

    def cells(self, row: Row) -> dict[str, str]:
        """Every caller's answer; where the row's methods are answered differently, all of them."""
        answers = {caller: {method: self.ask(row, method, caller) for method in row.methods} for caller in CALLERS}
        for each in answers.values():
            if each.get("HEAD") == each.get("GET", "").partition(" ")[0]:
                del each["HEAD"]  # it has no body that tells the code
        return {caller: " / ".join(dict.fromkeys(each.values())) for caller, each in answers.items()}

    def ask(self, row: Row, method: str, caller: str) -> str:
        headers = self.headers(row, caller, unsafe(method)) | {"Cookie": self.cookies(row, caller)}
        with undone():
            objects = self.world.objects
            if "stop" in row.route:
                objects = self.world.with_active_run(by_visitor=self.mode == "open")
            if "delete" in row.route:
                objects = objects | self.world.deletable
            if method == "WS":
                return self.shake_hands(row, headers)
            with undone(), connection.execute_wrapper(writes := Writes()):
                answer = self.send(row.route, method, headers, objects)
                after = self.world.state() if writes.seen else None
            word = describe(answer) + (" done" if writes.seen and self.world.state() != after else "")
            if caller == "another site's page" and "Access-Control-Allow-Origin" in answer:
                self.leaks.append(f"{method} {row.route}")
            return word

    def headers(self, row: Row, caller: str, changes: bool) -> dict[str, str]:
        own = {"Origin": f"{self.scheme}://{HOST}"} if changes else {}
        if caller == "another site's page":
            return {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
        if caller.startswith("token"):
            secret = self.world.secret(permissions(row, having=True), scopes(row, having=caller == "token with scope"))
            return {"Authorization": f"Token {secret}"}
        return own | ({"X-CSRFToken": CSRF} if caller.startswith("staff") and changes else {})

    def cookies(self, row: Row, caller: str) -> str:
        """Another site's page acts in the browser of somebody who may, without the token of our own pages."""
        if caller == "anonymous" or caller.startswith("token"):
            return ""
        session = self.world.session(permissions(row, having=caller != "staff without permission"))
        return f"sessionid={session}" + (f"; csrftoken={CSRF}" if caller.startswith("staff") else "")

    def send(self, route: str, method: str, headers: dict[str, str], objects: Mapping[str, int]) -> Any:
        words: dict[str, Any] = {"secure": self.scheme == "https", "headers": headers}
        if unsafe(method):
            words |= body(route, objects)
        if route == "/api/progress/":  # this client says Host itself
            self.async_client.cookies.clear()
            return copy_context().run(async_to_sync(self.stream), method, address(route, objects), words)
        request = RequestFactory().generic(method, address(route, objects), HTTP_HOST=HOST, **words)
        return self.handler(request.environ)

    async def stream(self, method: str, path: str, words: Mapping[str, Any]) -> Any:
        return await self.async_client.generic(method, path, **words)

    def shake_hands(self, row: Row, given: Mapping[str, str]) -> str:
        named = {"Host": HOST, "Origin": f"{self.scheme}://{HOST}"} | dict(given)
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        path = "/ws/nothing/" if row.route == ANY_OTHER else row.route
        with patch.object(TrainingConsumer, "send_events", nothing):  # what is sent is the same for all
            return str(copy_context().run(async_to_sync(handshake), websocket_application, path, headers))


class Writes:
    """Notes whether any SQL statement that is executed might change a row."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        self.seen = self.seen or sql.lstrip("( ").split(" ", 1)[0].upper() in {"INSERT", "UPDATE", "DELETE"}
        return execute(sql, *rest)


@contextmanager
def undone() -> Iterator[None]:
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def unsafe(method: str) -> bool:
    return method not in {"GET", "HEAD", "OPTIONS", "TRACE"}


def body(route: str, objects: Mapping[str, int]) -> dict[str, Any]:
    """What makes the act complete, if whoever sends it may."""
    if not route.startswith("/admin/"):
        return {"data": json.dumps(BODIES.get(route, {})), "content_type": "application/json"}
    path, _, action = route.partition(" action=")
    chosen = next((pk for part, pk in objects.items() if part in path), 0)
    fields = (
        FORM
        | ({"action": action, "_selected_action": chosen} if action else {})
        | {STATE_FIELD: confirmed(path, chosen)}
    )
    if path.endswith("/act/continue/"):
        fields["epochs"] = 100  # more than the run has finished
    if path.endswith("/decide/"):
        fields |= {"decision": "accept", "_selected_action": chosen}
    data = "&".join(f"{name}={str(value).replace(' ', '+')}" for name, value in fields.items())
    return {"data": data, "content_type": "application/x-www-form-urlencoded"}


def confirmed(path: str, chosen: int) -> int | str:
    """What the confirmation page of an action would carry now."""
    if path.endswith("/delete/") or path in {RUNS, MODELS}:
        return (plan_models if path.startswith(MODELS) else plan_runs)([chosen]).state
    if path.endswith("/act/stop/"):
        return Status.QUEUED
    if path.endswith("/act/describe/"):
        return ""
    if "/webhook" in path:
        states = {"resend": "failed", "rotate": None, "test": WebhookDelivery.objects.latest("pk").pk}
        return str(next((state for act, state in states.items() if path.endswith(f"/act/{act}/")), ""))
    if path.startswith("/admin/accounts/accesstoken/"):
        return AccessToken.objects.latest("pk").pk
    activation = Activation.current() if path.endswith(("/activate/", "/roll-back/")) else None
    return activation.pk if activation else TrainingRun.objects.last_number()


def describe(answer: Any) -> str:
    """A status, with the code of its error; `login` and `asks` are redirects there and to the page before an act."""
    place = answer["Location"] if answer.status_code == 302 else ""
    if place.startswith("/admin/login/"):
        return "login"
    if "/act/" in place:
        return "asks"
    kind = answer.get("Content-Type", "")
    if answer.status_code >= 400 and kind == "application/json" and answer.content:
        return f"{answer.status_code} {json.loads(answer.content)['code']}"
    return str(answer.status_code)


async def nothing(consumer: TrainingConsumer) -> None:
    """In the place of the stream, which would still be listening when this loop ends."""


async def handshake(application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> str:
    """As a server answers it: 101, or 403 where it is closed before it is accepted."""
    socket = WebsocketCommunicator(application, path, headers)
    accepted, _ = await socket.connect(timeout=10)
    await socket.disconnect()
    return "101" if accepted else "403"
