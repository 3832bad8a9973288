"""python -m tests.campaigns.guards: take each guard away, in a copy of the tree, and see which test notices.

A guard whose absence no test notices is not guarded itself. Three minutes; status 1 when one goes unnoticed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Guard:
    """A line of the product that stands between a stranger and harm; `gone` is that line without it."""

    name: str
    file: str
    line: str
    gone: str
    tests: str


GUARDS = [
    Guard(
        "a picture's size, before it is decoded",
        "recognition/imaging/decoding.py",
        "    if max(width, height) > MAX_SIDE:",
        "    if False:",
        "tests/http/test_bad_pictures.py",
    ),
    Guard(
        "only the parts of a file that make its picture",
        "recognition/imaging/decoding.py",
        "BytesIO(image_parts(self.data, self.format))",
        "BytesIO(self.data)",
        "tests/http/test_bad_pictures.py",
    ),
    Guard(
        "the scans of a JPEG",
        "recognition/imaging/decoding.py",
        'if data.count(START_OF_SCAN.to_bytes(2, "big"), start) > MAX_SCANS:',
        "if False:",
        "tests/http/test_bad_pictures.py",
    ),
    Guard(
        "how much is read of a refused body",
        "digits_site/web/middleware/lingering_close.py",
        "self.received < most and",
        "",
        "tests/http/test_early_answers.py",
    ),
    Guard(
        "the origin of a POST",
        "digits_site/web/middleware/origins.py",
        "        if matters and not self.trusted(request):",
        "        if False:",
        "tests/http/test_bad_input.py",
    ),
    Guard(
        "what came to local mode through a proxy",
        "digits_site/web/middleware/local_only.py",
        "            if came_through_a_proxy(request.headers):",
        "            if False:",
        "tests/http/test_bad_input.py",
    ),
    Guard(
        "the limit on bodies",
        "digits_site/web/middleware/body_limit.py",
        "        if len(body) > limit or (declared.isdigit() and int(declared) > limit):",
        "        if False:",
        "tests/http/test_bad_input.py",
    ),
    Guard(
        "the depth of JSON",
        "digits_site/web/parsers.py",
        "        except (ValueError, RecursionError) as error:",
        "        except ValueError as error:",
        "tests/http/test_bad_input.py",
    ),
    Guard(
        "numbers that are none",
        "digits_site/web/parsers.py",
        "parse_float=finite, parse_constant=refuse",
        "",
        "tests/http/test_bad_input.py",
    ),
    Guard(
        "who may train",
        "training/api/permissions.py",
        "        return settings.TRAINING_OPEN or super().account_may(request)",
        "        return True",
        "tests/http/test_public_mode.py",
    ),
    Guard(
        "the SHA-256 of a model",
        "recognition/classifier.py",
        "    if hashlib.sha256(content).hexdigest() != model.sha256:",
        "    if False:",
        "tests/unit/test_loading.py",
    ),
    Guard(
        "a model's other files",
        "recognition/classifier.py",
        "    if EXTERNAL_DATA in content:",
        "    if False:",
        "tests/unit/test_loading.py",
    ),
    Guard(
        "no pickle in the cache",
        "digits_site/settings.py",
        '        "serializer": "digits_site.web.cache.JSONSerializer",\n',
        "",
        "tests/unit/test_loading.py",
    ),
]


def copied(folder: Path) -> Path:
    """The tree as it is now, what is not committed included."""
    return Path(shutil.copytree(ROOT, folder / "tree", ignore=LEFT_OUT, symlinks=True))


def failing(tree: Path, tests: list[str]) -> Iterator[str]:
    """The names of the tests that fail there."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not stack",
        "--durations=0",
        *tests,
    ]
    ran = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if ran.returncode not in {0, 1}:
        raise RuntimeError(f"the tests did not run:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    yield from re.findall(r"^(?:FAILED|ERROR) (tests/.+?)(?: - |$)", ran.stdout, re.M)


def without(tree: Path, guard: Guard) -> list[str]:
    """The tests that fail while the guard is gone."""
    file = tree / guard.file
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace(guard.line, guard.gone), encoding="utf-8")
    try:
        return list(failing(tree, [guard.tests]))
    finally:
        file.write_text(source, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of a guard's name")
    given = parser.parse_args()
    chosen = [guard for guard in GUARDS if given.only in guard.name]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="digits-guards-") as folder:
        tree = copied(Path(folder))
        already = list(failing(tree, sorted({guard.tests for guard in chosen})))
        if already:
            sys.exit(f"these fail with every guard in place: {', '.join(already)}")
        for guard in chosen:
            found = without(tree, guard)
            unnoticed += not found
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            print(f"{guard.name:<48} {found[0] + more if found else 'NO TEST NOTICES'}", flush=True)
    sys.exit(bool(unnoticed))


if __name__ == "__main__":
    main()
