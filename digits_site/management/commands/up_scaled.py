"""`make run-scaled`: nginx, granian, daphne, the worker, Redis and PostgreSQL on this machine, until Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack

from django.conf import settings

from digits_site.development.address import answers
from digits_site.development.errors import StartError
from digits_site.development.nginx_server import nginx_in_front, nginx_program
from digits_site.development.postgres_server import database_given, database_url, programs
from digits_site.development.processes import child_environment, run_processes
from digits_site.development.redis_server import free_port
from digits_site.management.commands.up import Command as Up

LOOPBACK = "127.0.0.1"


class Command(Up):
    """Start everything that answers more requests than one process can."""

    help = (
        "Prepares the database and starts PostgreSQL, Redis, the worker, granian, daphne, and nginx in front of them."
    )

    def require(self) -> None:
        """Raises StartError that names all that is missing, before anything is started."""
        found = {"nginx-light": nginx_program() is not None, "postgresql": database_given() or programs() is not None}
        missing = [package for package, there in found.items() if not there]
        if missing:
            raise StartError(
                f"make run-scaled needs {' and '.join(m.removesuffix('-light') for m in missing)}. "
                f"On Debian and Ubuntu: apt-get install {' '.join(missing)}\nmake run needs neither."
            )

    def start(self, url: str) -> str:
        """Prepare, run, and answer what ended by itself."""
        self.web_port, self.streams_port = free_port(), free_port()
        ports = {"WEB_PORT": self.web_port, "STREAMS_PORT": self.streams_port}
        with ExitStack() as stack:
            database = stack.enter_context(database_url())
            own = {"DATABASE_URL": database, "WEB_CONCURRENCY": settings.WEB_CONCURRENCY, **ports}
            own["METRICS_DIR"] = settings.METRICS_DIR or settings.DATA_DIR / "metrics"  # /metrics of one tells of all
            environment = child_environment(url) | {name: str(value) for name, value in own.items()}
            self.stdout.write("Preparing the database and the static files")
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare"]
            prepared = subprocess.run(command, env=environment, check=False)
            if prepared.returncode:
                raise StartError("The database could not be prepared. Why is said above.")
            stack.enter_context(nginx_in_front(self.web_port, self.streams_port))
            watch = threading.Thread(target=self.announce_address, daemon=True)
            return run_processes(environment, on_started=watch.start, procfile="Procfile.scaled")

    def announce_address(self) -> None:
        """nginx answers at once: wait for those behind it."""
        while not all(answers(LOOPBACK, port) for port in (self.web_port, self.streams_port)):
            time.sleep(0.1)
        super().announce_address()
