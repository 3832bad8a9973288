"""PostgreSQL for `make run-scaled`: the one that is named, or a private one over DATA_DIR/postgres."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings

from digits_site.development.errors import StartError
from digits_site.development.redis_server import KEEP, stop_group

NAME = "digits"  # of the role and the database
DEBIANS = Path("/usr/lib/postgresql")  # where Debian keeps the programs of each version, off the PATH
LONGEST_SOCKET = 107  # bytes of a path that Linux takes for a socket
START_SECONDS = 60.0  # after a crash it first reads its log again
STOP_SECONDS = 10.0


@contextmanager
def database_url() -> Iterator[str]:
    """The PostgreSQL that DATABASE_URL names, or one that lives as long as this block. Raises StartError."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    cluster = Cluster(settings.DATA_DIR / "postgres")
    cluster.make()
    with (settings.DATA_DIR / "postgres.log").open("ab") as log:
        # Its own session: Ctrl-C is for us, and the database goes last, when nobody writes any more.
        process = subprocess.Popen(
            cluster.command(),
            cwd="/", start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **cluster.owner,
        )  # fmt: skip
    try:
        cluster.require(process)
        yield cluster.url
    finally:
        stop_group(process, politely=signal.SIGINT, patience=STOP_SECONDS)  # its "fast" way: clients are sent off


def database_given() -> bool:
    """Whether DATABASE_URL names a database that is not ours to start."""
    return bool(os.environ.get("DATABASE_URL"))


def programs(version: str | None = None) -> Path | None:
    """The folder of PostgreSQL's programs: of a major version, else the PATH's own, else Debian's newest."""
    if version is not None:
        return next((f for f in [on_path(), DEBIANS / version / "bin"] if f and major(f) == version), None)
    debians = sorted(DEBIANS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return on_path() or (debians[-1].parent if debians else None)


def on_path() -> Path | None:
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def major(folder: Path) -> str | None:
    """The major version of the programs in a folder; None when they are not there."""
    try:
        said = subprocess.run([folder / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError:
        return None
    number = re.search(r"\) (\d+)", said)
    return number[1] if number else None


class Cluster:
    """Data and socket of one private server. Only who started it reaches the socket, by its folder's mode."""

    def __init__(self, folder: Path) -> None:
        """Raises StartError when PostgreSQL is missing, or cannot run over this folder."""
        self.folder, self.data, self.run = folder, folder / "data", folder / "run"
        stamp = self.data / "PG_VERSION"
        version = stamp.read_text().strip() if stamp.exists() else None
        found = programs(version)
        if found is None:
            raise StartError(f"{self.data} is of PostgreSQL {version}, and that is not installed.")
        self.programs = found
        if len(os.fsencode(self.run / ".s.PGSQL.5432")) > LONGEST_SOCKET:
            raise StartError(f"The path {self.run} is too long for a socket. Choose a shorter DATA_DIR.")
        self.owner = owner()
        self.url = f"postgres://{NAME}@/{NAME}?host={quote(str(self.run), safe='')}"

    def make(self) -> None:
        """Folders, and at the first start the cluster itself, whole or not at all."""
        for folder in (self.folder, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)
            self.give_away(folder)
        self.require_reachable()
        if self.data.exists():
            return
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        words = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--pgdata", str(draft)]
        made = subprocess.run(
            [str(self.programs / "initdb"), *words], capture_output=True, text=True, check=False, cwd="/", **self.owner
        )
        if made.returncode:
            raise StartError(f"PostgreSQL's initdb failed:\n{made.stderr.strip()}")
        draft.rename(self.data)

    def give_away(self, folder: Path) -> None:
        if self.owner:
            os.chown(folder, self.owner["user"], self.owner["group"])

    def require_reachable(self) -> None:
        """Root's folders may be closed to the user that PostgreSQL runs as."""
        looked = subprocess.run(["test", "-x", str(self.folder)], check=False, cwd="/", **self.owner)
        if looked.returncode:
            raise StartError(
                f"PostgreSQL does not run as root, and its user may not "
                f"enter {self.folder}.\nChoose another folder (DATA_DIR=/srv/digits make run-scaled), run this as an "
                "ordinary user, or name a database: DATABASE_URL=postgres://…"
            )

    def command(self) -> list[str]:
        """The server in the foreground, kept alive, on its socket alone."""
        options = {"listen_addresses": "", "unix_socket_directories": self.run, "unix_socket_permissions": "0700"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        # As a text: its user may not be allowed to read what is in the repository, under root's home for example.
        keep = ["/bin/sh", "-c", KEEP.read_text(), "deploy/keep"]
        # --failed-too: after a kill -9 its orphans may hold the shared memory for a moment.
        return [*keep, "--failed-too", str(self.programs / "postgres"), "-D", str(self.data), *words]

    def require(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until it answers, and make the database at the first start."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with psycopg.connect(f"host={self.run} user={NAME} dbname=postgres", autocommit=True) as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                        connection.execute(f'CREATE DATABASE "{NAME}"')
                return
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = settings.DATA_DIR / "postgres.log"
                    raise StartError(f"PostgreSQL does not start: {error}\nMore is in {log}") from error
                time.sleep(0.05)


def owner() -> dict[str, Any]:
    """As Popen's arguments, who runs PostgreSQL, which refuses root: Debian's user for it, or nobody."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise StartError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody here.")
