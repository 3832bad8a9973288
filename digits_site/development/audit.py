"""`make audit`: whether a pinned package has a known hole, asked of PyPI's database for each supported Python.

Ends with 0 when every package was looked up and has none, with 1 when one has, with 3 when the database did not answer
or does not know a package. pip-audit itself calls what it could not look up a success.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from digits_site.development.lock import DEVELOPMENT, Pin, installed_by, pins

PYTHONS = ("3.10", "3.12")  # the oldest has older releases of some packages
SOUND, HOLES, NOT_LOOKED_UP = 0, 1, 3
Report = dict[str, Any]


def ask(found: Iterable[Pin]) -> Report | None:
    """pip-audit's report; None where it has none, and has said why."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(f"{one.name}=={one.version} {hashes(one)}\n" for one in found))
        options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", *options, "-r", str(file)]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return dict(json.loads(asked.stdout))
    except ValueError:
        print(asked.stderr.strip().rpartition("\n")[2])
        return None


def hashes(one: Pin) -> str:
    return " ".join(f"--hash={each}" for each in one.hashes)


def verdict(report: Report | None) -> tuple[int, list[str]]:
    """The exit code, and a line for each hole and each package that was not looked up."""
    if report is None:
        return NOT_LOOKED_UP, ["The database of known holes did not answer: nothing was audited."]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no release yet'}"
        for one in report["dependencies"]
        for hole in one.get("vulns", ())
    ]
    skipped = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    if skipped:
        holes.append(f"Not in the database, so not audited: {len(skipped)} packages ({', '.join(skipped[:3])}, …)")
    code = HOLES if len(holes) > bool(skipped) else NOT_LOOKED_UP if skipped else SOUND
    return code, holes


def main() -> int:
    everything = pins(DEVELOPMENT)
    codes = []
    for python in PYTHONS:
        here = installed_by(python, everything)
        code, lines = verdict(ask(here))
        print(f"Python {python}, {len(here)} packages: {'no known hole' if code == SOUND else ''}")
        print("".join(f"  {line}\n" for line in lines), end="")
        codes.append(code)
    return HOLES if HOLES in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
