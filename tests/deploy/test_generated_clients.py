"""Clients that others generate from the API's documents: they are made, type-checked, and call every operation."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from digits_site.web.openapi import views
from tests.support.drawings import draw
from tests.support.operator import create_token
from tests.support.stack import BIN, ROOT, Stack

CLIENTS = ROOT / "tests" / "support" / "clients"
BINARIES = Path("node_modules", ".bin")
NPM_FILES = "package.json", "package-lock.json", "calls.ts", "asyncapi.mjs"
STRICT = ("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--types", "node")
TARGET = ("--module", "nodenext", "--target", "es2022")
SCOPES = ("train", "stop", "activate", "review")
WITHOUT_COMPARISON = "getRunComparison"  # the shipped run has none: its 404 is described too

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="their generators need Python 3.11")


def run(*words: object, cwd: Path, **variables: str) -> str:
    """The command's output. A command that fails fails the test, with all that it said."""
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"} | variables
    command = [*map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "schema.json").write_bytes(views.document())
    draw(7).save(folder / "seven.png")
    return folder


@pytest.fixture(scope="module")
def npm(folder: Path) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("no npm here: NEITHER THE TYPESCRIPT CLIENT NOR docs/asyncapi.yaml WAS CHECKED")
    for name in NPM_FILES:
        shutil.copy(CLIENTS / "typescript" / name, folder)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    return folder


def operations() -> set[str]:
    paths = json.loads(views.document())["paths"].values()
    return {method["operationId"] for path in paths for method in path.values()}


def check(stack: Stack, words: Sequence[object], cwd: Path, **variables: str) -> None:
    """Every operation was called, and answered as the document says."""
    token = create_token(stack, cwd.name, *SCOPES)
    told = [
        line.split(maxsplit=2)
        for line in run(*words, stack.url, token, cwd / "seven.png", cwd=cwd, **variables).splitlines()
    ]
    plain = lambda name: re.sub("_", "", name).lower()  # noqa: E731
    assert {plain(name) for name, *_ in told} == {plain(name) for name in operations()}
    refused = {plain(name): status for name, status, _ in told if not status.startswith("2")}
    assert refused == {plain(WITHOUT_COMPARISON): "404"}


@pytest.mark.stack
def test_openapi_python_client(stack: Stack, folder: Path) -> None:
    """Its answers are parsed into classes, of which none is `Any`."""
    made = folder / "python"
    given = "--path", folder / "schema.json", "--config", CLIENTS / "openapi-python-client.yml", "--output-path", made
    run("openapi-python-client", "generate", *given, "--fail-on-warning", cwd=folder)
    run("mypy", "--strict", "--config-file=", "digits_client", cwd=made)
    check(stack, [sys.executable, CLIENTS / "python_calls.py"], folder, PYTHONPATH=str(made))


@pytest.mark.stack
def test_openapi_typescript(stack: Stack, npm: Path) -> None:
    """The compiler, at its strictest, accepts what calls.ts does with every answer."""
    run(npm / BINARIES / "openapi-typescript", "schema.json", "-o", "schema.ts", cwd=npm)
    run(npm / BINARIES / "tsc", *STRICT, *TARGET, "calls.ts", cwd=npm)
    check(stack, ["node", "calls.js"], npm)


def test_asyncapis_own_parser_accepts_the_live_messages(npm: Path) -> None:
    assert "2 operations, 13 messages" in run("node", "asyncapi.mjs", ROOT / "docs" / "asyncapi.yaml", cwd=npm)
