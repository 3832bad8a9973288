"""`make run` and `make run-scaled`: everything on this machine, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connections

from digits_site.checks import refuse_unsafe_start
from digits_site.development.address import answers, refuse_taken_port
from digits_site.development.nginx_server import nginx_in_front, nginx_program
from digits_site.development.postgres_server import database_url, programs
from digits_site.development.processes import child_environment, free_port, run_processes
from digits_site.development.redis_server import redis_url
from digits_site.management.commands.migrate import make_data_dir


class Command(BaseCommand):
    help = "Prepares the database and starts Redis, the worker and the web server, for development on this machine."
    requires_system_checks: list[str] = []  # refuse_unsafe_start says it in fewer words

    def add_arguments(self, parser: CommandParser) -> None:
        scaled = (
            "also PostgreSQL, granian on every core, and nginx in front, for more requests than one process answers"
        )
        parser.add_argument("--scaled", action="store_true", help=scaled)

    def handle(self, *args: Any, scaled: bool, **options: Any) -> None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # seen at once, in a pipe too
        for number in (signal.SIGTERM, signal.SIGHUP):  # until honcho takes over
            signal.signal(number, signal.default_int_handler)
        try:
            refuse_unsafe_start()
            if scaled:
                require_programs()
            refuse_taken_port(settings.HOST, settings.PORT)
            make_data_dir()
            with ExitStack() as servers:
                stopped = self.run(servers, scaled)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            stopped = True
        if not stopped:
            raise CommandError("A process ended unexpectedly, so everything else was stopped. See the messages above.")
        self.stdout.write("Stopped.")

    def run(self, servers: ExitStack, scaled: bool) -> bool:
        """Start everything, and return whether somebody stopped it."""
        environment = child_environment(servers.enter_context(redis_url()))
        ports = [free_port(), free_port()] if scaled else []
        if scaled:
            environment["DATABASE_URL"] = servers.enter_context(database_url())
            environment["WEB_PORT"], environment["STREAMS_PORT"] = map(str, ports)
            environment["WEB_CONCURRENCY"] = str(settings.WEB_CONCURRENCY)
            # With it the /metrics of one process tells of all.
            environment["METRICS_DIR"] = str(settings.METRICS_DIR or settings.DATA_DIR / "metrics")
        self.stdout.write("Preparing the database and the static files")
        if scaled:  # this process has other settings
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare"]
            if subprocess.run(command, env=environment, check=False).returncode:
                raise CommandError("The database could not be prepared. See the messages above.")
            servers.enter_context(nginx_in_front(*ports))
        else:
            call_command("prepare", stdout=self.stdout)
            close_connections()  # the processes are forked from this one
        threading.Thread(target=self.announce_address, args=[ports], daemon=True).start()
        return run_processes(environment, "Procfile.scaled" if scaled else "Procfile")

    def announce_address(self, ports: list[int]) -> None:
        """Say where to point the browser, once something answers there, and at the ports behind it."""
        addresses = [*(("127.0.0.1", port) for port in ports), (settings.HOST, settings.PORT)]
        while not all(answers(*address) for address in addresses):
            time.sleep(0.1)
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        address = f"http://{host}:{settings.PORT}/"
        if settings.LOCAL:
            self.stdout.write(
                f"\n  Draw a digit:  {address}\n  Admin:         {address}admin/\n  Stop:          Ctrl-C\n"
            )
        else:
            self.stdout.write(
                f"\n  Your proxy can forward {settings.TRUSTED_ORIGINS[0]}/ to {address}   Stop: Ctrl-C\n"
            )


def close_connections() -> None:
    """Close every database connection of this process, and PostgreSQL's pool with its threads."""
    connections.close_all()
    for connection in connections.all():
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def require_programs() -> None:
    """Raise CommandError if a program of the scaled deployment is missing, before anything is started."""
    found = {"nginx-light": nginx_program(), "postgresql": os.environ.get("DATABASE_URL") or programs()}
    missing = [package for package, program in found.items() if not program]
    if missing:
        raise CommandError(
            f"make run-scaled needs {' and '.join(m.removesuffix('-light') for m in missing)}. "
            f"On Debian and Ubuntu: apt-get install {' '.join(missing)}\nmake run needs neither."
        )
