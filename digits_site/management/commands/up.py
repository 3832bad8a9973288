"""`make run`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from digits_site.checks import refuse_unsafe_start
from digits_site.development.address import answers, refuse_taken_port
from digits_site.development.errors import StartError
from digits_site.development.preparation import first_admin, prepare
from digits_site.development.processes import child_environment, run_processes
from digits_site.development.redis_server import redis_url
from digits_site.postgresql import close_connections


def announcement(account: tuple[str, str]) -> str:
    """The new admin account and its password: nobody can ask for it again."""
    name, password = account
    line = "=" * 72
    return (
        f"\n{line}\n  Admin account made.  Name: {name}   Password: {password}\n"
        f"  It is shown this once. To change it: .venv/bin/python manage.py changepassword {name}\n{line}\n"
    )


class Command(BaseCommand):
    """Start Redis, the worker and the web server, ready to be used."""

    help = "Prepares the database and starts Redis, the worker and the web server, for development on this machine."
    requires_system_checks: list[str] = []  # refuse_unsafe_start says it in fewer words

    def handle(self, *args: Any, **options: Any) -> None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # seen at once, in a pipe too
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # until honcho takes over, both mean the same
        signal.signal(signal.SIGHUP, signal.default_int_handler)
        try:
            refuse_unsafe_start()
            self.require()
            refuse_taken_port(settings.HOST, settings.PORT)
            with redis_url() as url:
                died = self.start(url)
        except (ImproperlyConfigured, StartError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            died = ""
        if died:
            raise CommandError(f"{died}, so everything else was stopped. Why is said above.")
        self.stdout.write("Stopped.")

    def require(self) -> None:
        """Raises StartError when a program is missing; nothing has been started yet."""

    def start(self, url: str) -> str:
        """Prepare, run, and answer what ended by itself."""
        self.stdout.write("Preparing the database and the static files")
        prepare()
        account = first_admin()
        if account:
            self.stdout.write(announcement(account))
        close_connections()  # the processes are forked from this one
        watch = threading.Thread(target=self.announce_address, daemon=True)
        return run_processes(child_environment(url), on_started=watch.start)

    def announce_address(self) -> None:
        """Say where to point the browser, once something answers there."""
        while not answers(settings.HOST, settings.PORT):
            time.sleep(0.1)
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        address = f"http://{host}:{settings.PORT}/"
        if not settings.LOCAL:
            self.stdout.write(f"\n  Your proxy may ask {address} for {settings.TRUSTED_ORIGINS[0]}/   Stop: Ctrl-C\n")
            return
        self.stdout.write(f"\n  Draw a digit:  {address}\n  Admin:         {address}admin/\n  Stop:          Ctrl-C\n")
