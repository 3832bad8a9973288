"""clients/python, installed into environments of its own where nothing of the product is, by every Python it names."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.environment import folder as scratch
from tests.support.operator import create_token
from tests.support.stack import BIN, PATIENCE_SECONDS, ROOT, Stack, eventually

CLIENT = ROOT / "clients" / "python"
VERSIONS = "3.10", "3.11", "3.12"
THIS = "{}.{}".format(*sys.version_info)
SCOPES = ("train", "stop", "activate")
PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"


def uv(*words: str | Path, **variables: str) -> bool:
    return subprocess.run([BIN / "uv", "--quiet", *words], env=os.environ | variables, check=False).returncode == 0


def environment(version: str) -> Path:
    """The programs of a virtual environment with the client and pytest, as locked; skips without that Python."""
    folder = scratch / f"client-{version}"
    if not (folder / "bin" / "digits").exists():
        shutil.rmtree(folder, ignore_errors=True)
        path = os.pathsep.join([os.environ["PATH"], *map(str, sorted(PYENV.glob(f"{version}.*/bin")))])
        if not uv("venv", "--no-python-downloads", "--python", version, folder, PATH=path):
            pytest.skip(f"no Python {version} here: THE CLIENT'S TESTS DID NOT RUN ON IT")
        install = "pip", "install", "--python", folder / "bin" / "python", "--constraint"
        assert uv(*install, ROOT / "requirements-dev.lock", CLIENT, "pytest", "unasync")
    return folder / "bin"


@pytest.mark.stack
@pytest.mark.parametrize("version", VERSIONS)
def test_its_own_tests(stack: Stack, version: str, tmp_path: Path) -> None:
    programs = environment(version)
    token = create_token(stack, version, *SCOPES)
    variables = {"DIGITS_URL": stack.url, "DIGITS_TOKEN": token, "PATH": os.environ["PATH"]}
    copy = shutil.copytree(CLIENT, tmp_path / "client", ignore=shutil.ignore_patterns("__pycache__"))
    chosen = [] if version == THIS else ["-m", "not training"]  # once is enough for what takes seconds
    command = [programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", copy, *chosen]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.stack
def test_a_run_is_watched_through_a_killed_web_process(stack: Stack, tmp_path: Path) -> None:
    """Every epoch comes once, and nothing after the end."""
    number = stack.train(samples=2000, batch_size=32, epochs=12)
    digits = environment(THIS) / "digits"
    command = [digits, "--url", stack.url, "--patience", "60", "watch", str(number), "--json"]

    def seen() -> list[int]:
        told = (tmp_path / "events").read_text()
        events = map(json.loads, told[: told.rfind("\n") + 1].splitlines())
        return [event["epoch"] for event in events if event["type"] == "epoch"]

    with (tmp_path / "events").open("wb") as out, subprocess.Popen(command, stdout=out) as watching:
        try:
            eventually(lambda: len(seen()) >= 2, PATIENCE_SECONDS, "two epochs")
            stack.kill("web")
            time.sleep(1)
            stack.start_web()
            assert watching.wait(PATIENCE_SECONDS) == 0
        finally:
            watching.kill()
    assert seen() == list(range(1, 13))
    assert stack.run(number)["status"] == "completed"
