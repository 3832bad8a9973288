"""The lock files: which packages, in which versions, with which checksums. `make lock` writes them in pip's format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent
RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"


@dataclass(frozen=True)
class Pin:
    """One version of one package; `marker` says where it is installed, none is everywhere."""

    name: str
    version: Version
    hashes: tuple[str, ...]  # sha256:… of each file that may be installed
    marker: Marker | None

    def holds(self, python: str | None = None) -> bool:
        """Whether it is installed on this kind of machine, by this Python or by that of another version."""
        wanted = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
        return self.marker is None or self.marker.evaluate({**wanted})


def pins(lock: Path) -> list[Pin]:
    """Every pin of a lock file. Raises ValueError for a line that is none."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.M).replace("\\\n", " ")
    return [pin(line) for line in text.splitlines() if line.strip()]


def pin(line: str) -> Pin:
    words = line.split(" --hash=")
    requirement = Requirement(words[0])
    exact = re.fullmatch(r"==([^=*]+)", str(requirement.specifier))
    if not exact or requirement.url:
        raise ValueError(f"{line[:80]!r} pins no version")
    hashes = tuple(word.strip() for word in words[1:])
    return Pin(canonicalize_name(requirement.name), Version(exact[1]), hashes, requirement.marker)


def installed_by(python: str, found: Iterable[Pin]) -> list[Pin]:
    """What a Python of that version (3.10) installs of these."""
    return [one for one in found if one.holds(python)]
