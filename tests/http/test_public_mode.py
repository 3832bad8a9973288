"""Public mode starts only where it is configured, and the check for deployments sees what is unsafe."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT

CONFIGURED = {
    "DIGITS_MODE": "public",
    "SECRET_KEY": "a key of a test, long enough for Django's own check",
    "ALLOWED_HOSTS": "digits.example.org",
    "TRUSTED_ORIGINS": "https://digits.example.org",
    "REDIS_URL": "rediss://:a-password@redis.example.org:6379/0",
    "TRUSTED_PROXIES": "1",
}


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python process in an environment of its own."""
    given = {"DATA_DIR": str(folder), "PATH": "", **environment}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=60)


# Django's check for deployments, in which a warning is a failure.
CHECK = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")


def test_the_check_for_deployments_is_clean(tmp_path: Path) -> None:
    done = run(tmp_path, *CHECK, **CONFIGURED)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


def test_the_check_for_deployments_still_sees_what_is_unsafe(tmp_path: Path) -> None:
    unsafe = {"HTTPS": "false", "DEBUG": "true", "SECRET_KEY": "short", "TRUSTED_PROXIES": "0"}
    done = run(tmp_path, *CHECK, **CONFIGURED | unsafe)
    assert done.returncode == 1
    for warning in ("security.W008", "security.W018", "security.W009", "digits.W001"):
        assert warning in done.stderr


def test_the_broker_looks_at_the_certificate_of_redis(tmp_path: Path) -> None:
    code = "from digits_site.celery import app; print(app.connection_for_write().ssl)"
    assert "CERT_REQUIRED" in run(tmp_path, "-c", code, **CONFIGURED).stdout


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "import digits_site.asgi"),
        ("-c", "import digits_site.wsgi"),
        ("-m", "celery", "-A", "digits_site", "worker", "--pool", "threads"),
    ],
    ids=str,
)
def test_it_does_not_start_unconfigured(tmp_path: Path, words: tuple[str, ...]) -> None:
    """All that is missing, at once, and what to do about it; the worker as well as the web."""
    tried = run(tmp_path, *words, DIGITS_MODE="public")
    assert tried.returncode != 0
    told = re.findall(r"(digits\.E\d+)  (\w+)", tried.stderr)
    missing = ["SECRET_KEY", "ALLOWED_HOSTS", "TRUSTED_ORIGINS", "REDIS_URL"]
    assert told == list(zip(["digits.E003", "digits.E004", "digits.E005", "digits.E006"], missing, strict=True))
