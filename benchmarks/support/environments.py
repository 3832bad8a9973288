"""Virtual environments under var/benchmarks for what the product is compared with; the first use makes them."""

import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks.support.common import ROOT, say

ENVIRONMENTS = ROOT / "var" / "benchmarks"


class Unusable(Exception):
    """A contender could not be installed, or does not answer; says why in one line."""


def python_with(name: str, packages: Sequence[str]) -> Path:
    """Return the environment's Python. Packages without a version have the product's. Raises Unusable.

    PyTorch comes from its index for processors without a GPU. Where uv cannot reach that, pip installs, by its own
    configuration.
    """
    place = ENVIRONMENTS / name
    python, stamp = place / "bin" / "python", place / "requirements"
    wanted = [one if "==" in one else f"{one}=={metadata.version(one)}" for one in packages]
    if not stamp.exists() or stamp.read_text().split() != wanted:
        say(f"installing {', '.join(wanted)}")
        uv = [sys.executable, "-m", "uv"]
        by_uv = [*uv, "pip", "install", "-q", "--torch-backend", "cpu", "--python", python, *wanted]
        try:
            subprocess.run([*uv, "venv", "-q", "--clear", "--seed", "-p", sys.executable, place], check=True)
            if subprocess.run(by_uv, check=False).returncode:
                subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unusable(f"{name} cannot be installed: {error}") from error
        stamp.write_text("\n".join(wanted))
    return python
