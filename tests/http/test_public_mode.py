"""Public mode: predicting is open and limited, retraining and stopping need an account that may."""

import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.stack import ROOT


@pytest.fixture
def client(settings, db: None) -> Client:
    settings.TRAINING_OPEN = False
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada", password="a long enough password")


def test_the_originals_beacon_stops_in_local_mode_though_an_admin_is_signed_in(
    client: Client, user: User, settings
) -> None:
    """The beacon carries the session's cookie but cannot carry a CSRF token."""
    settings.TRAINING_OPEN = True
    client.force_login(user)
    answer = client.post("/api/stop_training/", HTTP_ORIGIN="http://localhost:3000")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_progress")


CONFIGURED = {
    "DIGITS_MODE": "public",
    "SECRET_KEY": "a key of a test, long enough for Django's own check",
    "ALLOWED_HOSTS": "digits.example.org",
    "TRUSTED_ORIGINS": "https://digits.example.org",
    "REDIS_URL": "rediss://:a-password@redis.example.org:6379/0",
    "TRUSTED_PROXIES": "1",
}


def checked(tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Django's check for deployments, in which a warning is a failure, in an environment of its own."""
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    given = {"DATA_DIR": str(tmp_path), "PATH": "", **environment}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=60)


def test_the_check_for_deployments_is_clean(tmp_path) -> None:
    done = checked(tmp_path, **CONFIGURED)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "no issues" in done.stdout


def test_the_broker_looks_at_the_certificate_of_redis(tmp_path) -> None:
    command = [sys.executable, "-c", "from digits_site.celery import app; print(app.connection_for_write().ssl)"]
    given = {"DATA_DIR": str(tmp_path), "PATH": "", **CONFIGURED}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True, timeout=60)
    assert "CERT_REQUIRED" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HTTPS", "false", "security.W008"),
        ("DEBUG", "true", "security.W018"),
        ("SECRET_KEY", "short", "security.W009"),
        ("TRUSTED_PROXIES", "0", "digits.W001"),
    ],
)
def test_the_check_for_deployments_still_sees(tmp_path, variable: str, value: str, said: str) -> None:
    done = checked(tmp_path, **CONFIGURED | {variable: value})
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("module", ["digits_site.asgi", "digits_site.wsgi", "digits_site.celery"])
def test_it_does_not_start_unconfigured(tmp_path, module: str) -> None:
    """All that is missing, at once, and what to do about it; the worker as well as the web."""
    environment = {"DIGITS_MODE": "public", "DATA_DIR": str(tmp_path), "PATH": ""}
    web = [sys.executable, "-c", f"import {module}"]
    worker = [sys.executable, "-m", "celery", "-A", "digits_site", "worker", "--pool", "threads"]
    command = worker if module.endswith("celery") else web
    tried = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert tried.returncode != 0
    told = re.findall(r"(digits\.E\d+)  (\w+)", tried.stderr)
    missing = ["SECRET_KEY", "ALLOWED_HOSTS", "TRUSTED_ORIGINS", "REDIS_URL"]
    assert told == list(zip(["digits.E003", "digits.E004", "digits.E005", "digits.E006"], missing, strict=True))
