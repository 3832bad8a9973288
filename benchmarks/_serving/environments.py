"""Environments of their own for the servers that the product is compared with, kept from one run to the next."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "var" / "benchmarks"
MINUTES = 20  # after which an installation is given up


class NotInstalled(Exception):
    """A server's packages could not be installed; says why in one line."""


def as_here(*packages: str) -> list[str]:
    """Requirements for the versions of these packages that the product itself runs on; what it lacks is left out."""
    found = {name.lower().replace("_", "-") for one in metadata.distributions() if (name := one.metadata["Name"])}
    return [f"{package}=={metadata.version(package)}" for package in packages if package in found]


def python_of(name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of an environment with these requirements; made where there is none. Raises NotInstalled."""
    folder = FOLDER / name
    python, stamp = folder / "venv" / "bin" / "python", folder / "requirements.json"
    wanted = json.dumps([sys.version, *requirements])
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing {', '.join(requirements)} into {folder}", file=sys.stderr, flush=True)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder / "venv", ignore_errors=True)
    installer = installing(python)
    run([sys.executable, "-m", "venv", *installer.options, str(folder / "venv")])
    run([*installer.command, *requirements])
    stamp.write_text(wanted)
    return python


class Installer:
    """How an environment is made and filled."""

    def __init__(self, options: list[str], command: list[str]) -> None:
        self.options, self.command = options, command


def installing(python: Path) -> Installer:
    """uv where the development requirements brought it, for its speed; else pip."""
    if util.find_spec("uv"):
        return Installer(
            ["--without-pip"], [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python)]
        )
    return Installer([], [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"])


def run(command: list[str]) -> None:
    """Raises NotInstalled."""
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60 * MINUTES)
    except subprocess.CalledProcessError as error:
        lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        raise NotInstalled(" ".join(lines[-3:])[:300] or str(error)) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from error
