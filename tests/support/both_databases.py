"""python -m tests.support.both_databases: the suite on SQLite and on PostgreSQL, side by side; arguments are pytest's.

The first is shown as it comes, the second when both have ended; one that failed has the last word, so that the last
lines are the summary that counts. Each has ports, folders, Redis and databases of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from tests.support.postgres import program

# They bring a PostgreSQL of their own whatever the others run on: once is enough.
ON_POSTGRES = ("postgres", "several_machines", "scaled", "scaled_start", "nginx")
# Nothing in these that one database does otherwise than another: the learner, pictures, limits by address, headers,
# documents, what the page does with a drawing; and permissions, which Django looks up everywhere in the same way.
# `make test-postgres` runs them on PostgreSQL all the same.
ON_SQLITE = (
    *("resume", "handwriting", "fast", "preprocessing", "bad_pictures", "large_pictures", "broken_http", "fuzz"),
    *("attack", "public_site", "limits_cookies", "limits_frames", "limits_headers", "limits_origins", "limits_streams"),
    *("page", "network", "docs", "supply", "deployment_files", "guards", "access"),
)
SUMMARY = "short test summary info"


class Suite:
    """One run of pytest, and what it prints."""

    def __init__(self, database: str, arguments: list[str], shown: bool) -> None:
        self.database, self.shown = database, shown
        self.lines: list[str] = []
        command = [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{database}", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"TEST_DATABASE": database, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if self.shown:
                print(line, end="", flush=True)

    def ended(self) -> int:
        """Its exit status."""
        self.reader.join()
        return self.process.wait()

    def show(self, from_line: int = 0) -> None:
        print(f"\n=== on {self.database} ===", flush=True)
        print("".join(self.lines[from_line:]), end="", flush=True)

    def summary(self) -> int:
        """The line from which it sums up."""
        found = (number for number, line in enumerate(self.lines) if SUMMARY in line)
        return next(found, max(0, len(self.lines) - 20))


def without(names: Iterable[str]) -> list[str]:
    """pytest's arguments. Raises FileNotFoundError for a file that is no more: nothing must be left out by accident."""
    files = []
    for name in names:
        found = list(Path("tests").glob(f"*/test_{name}.py"))
        if not found:
            raise FileNotFoundError(name)
        files += found
    return [f"--ignore={file}" for file in files]


def main() -> int:
    arguments = sys.argv[1:]
    if program("postgres") is None:
        print("There is no PostgreSQL here: the tests run on SQLite alone.", file=sys.stderr)
        return Suite("sqlite", arguments, shown=True).ended()
    print("=== on sqlite ===", flush=True)
    sqlite = Suite("sqlite", [*without(ON_POSTGRES), *arguments], shown=True)
    postgres = Suite("postgres", [*without(ON_SQLITE), *arguments], shown=False)
    failed, failed_too = sqlite.ended(), postgres.ended()
    postgres.show()
    if failed:
        sqlite.show(sqlite.summary())
    return failed or failed_too


if __name__ == "__main__":
    sys.exit(main())
