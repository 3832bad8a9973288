"""python -m tests.support.both_databases: all tests on SQLite and, side by side, those marked `postgres` on PostgreSQL.

Arguments are pytest's. SQLite's tests are shown as they run, PostgreSQL's at the end: all lines if one failed, else the
last. The status is not 0 if any test failed.
"""

import os
import subprocess
import sys
import tempfile
from typing import IO

from tests.support.postgres import program

NO_TESTS = 5  # pytest's status where the arguments choose none


def start(database: str, *options: str, output: IO[str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{database}", *sys.argv[1:], *options]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"TEST_DATABASE": database}
    return subprocess.Popen(command, env=environment, stdout=output, stderr=output, text=True)


def main() -> int:
    sqlite = start("sqlite")
    if program("postgres") is None:
        print("There is no PostgreSQL here: the tests run on SQLite alone.", file=sys.stderr)
        return sqlite.wait()
    with tempfile.TemporaryFile("w+") as output:
        postgres = start("postgres", "-m", "postgres", "-n", "0", output=output)
        failed_on_sqlite = sqlite.wait()
        failed_on_postgres = postgres.wait() not in {0, NO_TESTS}
        output.seek(0)
        lines = output.readlines()
    print("\n=== on PostgreSQL ===")
    print(*(lines if failed_on_postgres else lines[-1:]), sep="", end="", flush=True)
    if failed_on_sqlite:
        print("=== FAILED on SQLite, see above ===")
    return failed_on_sqlite or int(failed_on_postgres)


if __name__ == "__main__":
    sys.exit(main())
