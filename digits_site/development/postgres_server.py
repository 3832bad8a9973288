"""PostgreSQL for `make run-scaled`: the one of DATABASE_URL, or a private one in DATA_DIR/postgres."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.core.management import CommandError

from digits_site.development.processes import KEEP, running, wait_for

NAME = "digits"  # the name of the role and of the database
DEBIAN = Path("/usr/lib/postgresql")  # where Debian keeps the programs of each version, off the PATH
LONGEST_SOCKET = 107  # bytes of a path that Linux takes for a socket
START_SECONDS = 60.0  # after a crash it first reads its log again
STOP_SECONDS = 10.0


@contextmanager
def database_url() -> Iterator[str]:
    """Yield DATABASE_URL, or the URL of a server that lives as long as this block. Raises CommandError."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    cluster = Cluster(settings.DATA_DIR / "postgres")
    cluster.make()
    file = settings.DATA_DIR / "postgres.log"
    with (
        file.open("ab") as log,
        # SIGINT is PostgreSQL's fast shutdown.
        running(
            cluster.command(),
            end=signal.SIGINT, patience=STOP_SECONDS, cwd="/", stdout=log, stderr=log, **cluster.owner,
        ) as process,
    ):  # fmt: skip
        try:
            wait_for(cluster.make_database, START_SECONDS, psycopg.OperationalError, process=process)
        except psycopg.OperationalError as error:
            raise CommandError(f"PostgreSQL does not start: {error}\nMore is in {file}") from error
        yield cluster.url


def programs(version: str = "*") -> Path | None:
    """Return the folder of PostgreSQL's programs: Debian's of a version, the PATH's, or Debian's newest."""
    debian = sorted(DEBIAN.glob(f"{version}/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if on_path and not (debian and version != "*"):
        return Path(on_path).resolve().parent
    return debian[-1].parent if debian else None


class Cluster:
    """Data and socket of a private server. The mode of its folder keeps others from the socket."""

    def __init__(self, folder: Path) -> None:
        """Raises CommandError if PostgreSQL is missing, or cannot run in this folder."""
        self.folder, self.data, self.run = folder, folder / "data", folder / "run"
        stamp = self.data / "PG_VERSION"
        version = stamp.read_text().strip() if stamp.exists() else "*"
        found = programs(version)
        if found is None:
            raise CommandError(f"{self.data} is of PostgreSQL {version}, which is not installed.")
        self.programs = found
        if len(os.fsencode(self.run / ".s.PGSQL.5432")) > LONGEST_SOCKET:
            raise CommandError(f"The path {self.run} is too long for a socket. Choose a shorter DATA_DIR.")
        self.owner = owner()
        self.url = f"postgres://{NAME}@/{NAME}?host={quote(str(self.run), safe='')}"

    def make(self) -> None:
        """Make the folders and, at the first start, the cluster, whole or not at all."""
        for folder in (self.folder, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)
            if self.owner:
                os.chown(folder, self.owner["user"], self.owner["group"])
        if subprocess.run(["test", "-x", str(self.folder)], check=False, cwd="/", **self.owner).returncode:
            raise CommandError(
                f"PostgreSQL does not run as root, and its user may not enter {self.folder}.\nChoose another folder "
                "(DATA_DIR=/srv/digits make run-scaled), run this as an ordinary user, or name a database: "
                "DATABASE_URL=postgres://…"
            )
        if self.data.exists():
            return
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--pgdata", str(draft)]
        command = [str(self.programs / "initdb"), *options]
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **self.owner)
        if made.returncode:
            raise CommandError(f"PostgreSQL's initdb failed:\n{made.stderr.strip()}")
        draft.rename(self.data)

    def command(self) -> list[str]:
        """Return the server's command: in the foreground, kept alive, on its socket only."""
        options = {"listen_addresses": "", "unix_socket_directories": self.run, "unix_socket_permissions": "0700"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        # As text, because PostgreSQL's user may not be allowed to read the repository, under root's home for example.
        keep = ["/bin/sh", "-c", KEEP.read_text(), "deploy/keep"]
        # --failed-too: after a kill -9 its children may hold the shared memory for a moment.
        return [*keep, "--failed-too", str(self.programs / "postgres"), "-D", str(self.data), *words]

    def make_database(self) -> None:
        """Make the database at the first start. Raises OperationalError while the server does not answer."""
        with psycopg.connect(f"host={self.run} user={NAME} dbname=postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f'CREATE DATABASE "{NAME}"')


def owner() -> dict[str, Any]:
    """Return, as Popen's arguments, who runs PostgreSQL if this is root, which it refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise CommandError("PostgreSQL does not run as root, and this machine has no user postgres or nobody.")
