"""`make run-scaled`: nginx, granian, daphne, the worker, Redis and PostgreSQL on this machine, until Ctrl-C."""

import os
import subprocess
import sys
import time

from django.conf import settings

from digits_site.development.address import answers
from digits_site.development.nginx_server import nginx_in_front, nginx_program
from digits_site.development.postgres_server import database_url, programs
from digits_site.development.processes import StartError, child_environment, free_port
from digits_site.management.commands.up import Command as Up


class Command(Up):
    """Start everything that answers more requests than one process can."""

    help = (
        "Prepares the database and starts PostgreSQL, Redis, the worker, granian, daphne, and nginx in front of them."
    )

    def require_programs(self) -> None:
        found = {"nginx-light": nginx_program(), "postgresql": os.environ.get("DATABASE_URL") or programs()}
        missing = [package for package, program in found.items() if not program]
        if missing:
            raise StartError(
                f"make run-scaled needs {' and '.join(m.removesuffix('-light') for m in missing)}. "
                f"On Debian and Ubuntu: apt-get install {' '.join(missing)}\nmake run needs neither."
            )

    def start(self, url: str) -> bool:
        self.ports = {"WEB_PORT": free_port(), "STREAMS_PORT": free_port()}
        # With METRICS_DIR the /metrics of one process tells of all.
        own = {"WEB_CONCURRENCY": settings.WEB_CONCURRENCY, "METRICS_DIR": settings.DATA_DIR / "metrics"}
        if settings.METRICS_DIR:
            own["METRICS_DIR"] = settings.METRICS_DIR
        with database_url() as database:
            own |= {"DATABASE_URL": database, **self.ports}
            environment = child_environment(url) | {name: str(value) for name, value in own.items()}
            self.stdout.write("Preparing the database and the static files")
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare"]
            if subprocess.run(command, env=environment, check=False).returncode:
                raise StartError("The database could not be prepared. Why is said above.")
            with nginx_in_front(self.ports["WEB_PORT"], self.ports["STREAMS_PORT"]):
                return self.run_processes(environment, "Procfile.scaled")

    def announce_address(self) -> None:
        """nginx answers at once: wait for the servers behind it."""
        while not all(answers("127.0.0.1", port) for port in self.ports.values()):
            time.sleep(0.1)
        super().announce_address()
