"""Bounds on the time of a run and on failed sign-in attempts."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from digits_site.web.limits import rate_limit
from digits_site.web.middleware.login_limit import LoginLimitMiddleware
from tests.support.runs import PARAMETERS
from training.models import Status, TrainingRun
from training.worker import runner

# --- A run's longest time ---


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("finished", [0, 1])
def test_a_run_that_takes_too_long_ends_as_an_error_and_keeps_its_epochs(settings, finished: int) -> None:
    """All attempts count together, those too that were lost before they had finished an epoch."""
    settings.RUN_SECONDS, settings.TRAINING_SPARE_SECONDS = 3600, 0
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS)
    assert run.claim("a worker that was lost")
    figures = {"loss": 0.1, "accuracy": 0.9, "learning_rate": 0.001, "seconds": 10.0}
    for epoch in range(1, finished + 1):
        assert run.add_epoch({"epoch": epoch, **figures})
    run.beat(elapsed_seconds=3599.0)
    assert run.requeue_or_end()
    runner.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Status.ERROR, "timed_out")
    assert (run.stopper, run.stopper_name) == (None, "the time limit")
    assert "3,600 seconds" in run.error
    assert run.epochs.count() == finished
    assert 3600 < run.elapsed_seconds < 3660, "the second that was left, and no new hour"


# --- Guesses at a password ---

PASSWORD = "a long enough password"


@pytest.fixture
def guess(settings, db: None) -> Callable[..., Any]:
    """A function that tries to sign in; nothing that earlier tests counted is left."""
    settings.LOGIN_FAILURES = 3
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # in no time
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter("digits:login:*"):
            client.delete(key)
    User.objects.create_superuser("ada", password=PASSWORD)

    def ask(name: str = "ada", password: str = "wrong", host: int = 1, page: str = "/sign-in/", **headers: str) -> Any:
        browser = Client(HTTP_HOST="localhost", REMOTE_ADDR=f"203.0.113.{host}", HTTP_ACCEPT="text/html")
        return browser.post(page, {"username": name, "password": password}, **headers)

    return ask


def test_guesses_of_an_address_are_limited_whatever_the_account(guess: Callable[..., Any]) -> None:
    pages = ("/sign-in/", "/admin/login/", "/sign-in/")
    tries = zip(("ada", "grace", "nobody"), pages, strict=True)
    assert [guess(name, page=page).status_code for name, page in tries] == [200] * 3
    refusal = guess("ada", PASSWORD)
    assert refusal.status_code == 429, "the right password comes too late"
    assert guess("ada", PASSWORD, page="/admin/login/").status_code == 429
    assert 0 < int(refusal["Retry-After"]) <= 900
    assert refusal["Content-Type"].startswith("text/html")
    assert "Too many failed sign-in attempts. Try again in 15 min." in refusal.content.decode()
    assert guess("ada", PASSWORD, host=2).status_code == 302, "elsewhere the account is open"


def test_guesses_at_an_account_are_limited_from_however_many_addresses(guess: Callable[..., Any]) -> None:
    """However its name is written."""
    names = ["ada", " ada", "ada\t", "\uff41da", "ADA"]
    assert guess("a\u0327\u0301" * 100_000, host=9).status_code == 200
    assert [guess(names[host % 5], host=host).status_code for host in range(10, 25)] == [200] * 15
    assert [guess(name, PASSWORD, host=25).status_code for name in names] == [429] * 5
    assert guess("grace", host=26).status_code == 200


def test_signing_in_costs_no_guess(guess: Callable[..., Any]) -> None:
    assert [guess(password=PASSWORD).status_code for _ in range(5)] == [302] * 5
    assert [guess().status_code for _ in range(2)] == [200] * 2
    assert [guess(password=PASSWORD).status_code for _ in range(12)] == [302] * 12, "nor after others"
    assert [guess().status_code for _ in range(2)] == [200, 429]


def test_guesses_at_once_are_no_more(guess: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted before the password is looked at, which takes its time."""
    start = threading.Barrier(8)
    tried: list[HttpRequest] = []

    def look_at_password(request: HttpRequest) -> HttpResponse:
        tried.append(request)
        return HttpResponse()

    monkeypatch.setattr("digits_site.web.middleware.login_limit.error_response", lambda *_: HttpResponse(status=429))
    middleware = LoginLimitMiddleware(look_at_password)

    def ask(_: int) -> int:
        start.wait()
        return middleware(RequestFactory().post("/admin/login/", {"username": "ada"})).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(ask, range(8))) == [200] * 3 + [429] * 5
    assert len(tried) == 3


def test_without_redis_guesses_are_limited_all_the_same(
    guess: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "_away_until", float("inf"))
    monkeypatch.setattr(rate_limit, "local", rate_limit.LocalWindows())
    assert [guess().status_code for _ in range(4)] == [200, 200, 200, 429]
