"""A throw-away PostgreSQL of the tests' own, and a database on it for every stack."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.support.ports import free_port

DEBIAN = Path("/usr/lib/postgresql")  # its programs are not on the PATH
# Nothing here outlives the machine. What was committed must outlive a crash of the server, so that is not made faster.
FAST = ["fsync=off", "full_page_writes=off"]


def program(name: str) -> str | None:
    """One of PostgreSQL's server programs, of the newest version there is; None without one."""
    versions = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    return str(versions[-1]) if versions else shutil.which(name)


def unprivileged() -> dict[str, Any]:
    """How Popen starts a PostgreSQL, which refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class Server:
    """A cluster in a folder of its own, on loopback, with a password as a real one has. Raises RuntimeError without
    PostgreSQL's programs."""

    def __init__(self) -> None:
        self.program = program("postgres") or ""
        if not self.program:
            raise RuntimeError("There is no PostgreSQL here: apt-get install postgresql")
        self.port, self.password = free_port(), secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="digits-postgres-"))
        (self.folder / "password").write_text(self.password)
        self.who = unprivileged()
        if self.who:
            for path in (self.folder, self.folder / "password"):
                os.chown(path, self.who["user"], self.who["group"])
        words = ["--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}", "--username=digits"]
        words += ["--encoding=UTF8", "--locale=C", "--no-sync", f"--pgdata={self.folder / 'data'}"]
        initdb = str(Path(self.program).with_name("initdb"))
        subprocess.run([initdb, *words], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.who)
        self.start()
        with closing(psycopg.connect(self.url_of("postgres"), autocommit=True)) as connection:
            connection.execute("CREATE DATABASE digits")

    def url_of(self, database: str) -> str:
        return f"postgres://digits:{self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def url(self) -> str:
        return self.url_of("digits")

    def start(self) -> None:
        """Returns when it answers."""
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": str(self.folder)}
        words = [f"{name}={value}" for name, value in options.items()] + FAST
        command = [self.program, "-D", str(self.folder / "data"), *(part for word in words for part in ("-c", word))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **self.who)
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every connection and then the server, SIGQUIT at once, as a crash would."""
        self.process.send_signal(how)
        self.process.wait(20)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)


def is_postgres(url: str) -> bool:
    return urlsplit(url).scheme in {"postgres", "postgresql"}


def create_database(server: str, template: str = "") -> str:
    """A new database beside the one that the URL names, empty or a copy of the one that `template` names; its URL."""
    name, like = f"digits_{secrets.token_hex(6)}", urlsplit(template).path.removeprefix("/") or "template1"
    execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like)))
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def drop_database(server: str, url: str) -> None:
    """Whoever is still connected is cut off."""
    name = urlsplit(url).path.removeprefix("/")
    execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def environment_of_its_own() -> Iterator[dict[str, str]]:
    """For a process of the product whose rows are nobody else's: with SQLite its DATA_DIR sees to that."""
    server = os.environ.get("DATABASE_URL", "")
    if not is_postgres(server):
        yield dict(os.environ)
        return
    url = create_database(server)
    try:
        yield os.environ | {"DATABASE_URL": url}
    finally:
        drop_database(server, url)


def execute(url: str, statement: sql.Composed) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(statement)
