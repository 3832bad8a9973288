"""`make run`: everything on this machine, until Ctrl-C."""

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
from digits_site.development.preparation import prepare
from digits_site.development.processes import StartError, child_environment, run_processes
from digits_site.development.redis_server import redis_url
from digits_site.management.commands.migrate import make_data_dir
from digits_site.postgresql import close_connections


class Command(BaseCommand):
    """Start Redis, the worker and the web server, ready to be used."""

    help = "Prepares the database and starts Redis, the worker and the web server, for development on this machine."
    requires_system_checks: list[str] = []  # refuse_unsafe_start says it in fewer words

    def handle(self, *args: Any, **options: Any) -> None:
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # seen at once, in a pipe too
        for number in (signal.SIGTERM, signal.SIGHUP):  # until honcho takes over
            signal.signal(number, signal.default_int_handler)
        try:
            refuse_unsafe_start()
            self.require_programs()
            refuse_taken_port(settings.HOST, settings.PORT)
            make_data_dir()
            with redis_url() as url:
                stopped = self.start(url)
        except (ImproperlyConfigured, StartError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            stopped = True
        if not stopped:
            raise CommandError("A process ended by itself, so everything else was stopped. Its name and why are above.")
        self.stdout.write("Stopped.")

    def require_programs(self) -> None:
        """Raise StartError if a program is missing, before anything is started."""

    def start(self, url: str) -> bool:
        """Prepare, run, and return whether somebody stopped it."""
        self.stdout.write("Preparing the database and the static files")
        self.stdout.write(prepare())
        close_connections()  # the processes are forked from this one
        return self.run_processes(child_environment(url))

    def run_processes(self, environment: dict[str, str], procfile: str = "Procfile") -> bool:
        threading.Thread(target=self.announce_address, daemon=True).start()
        return run_processes(environment, procfile)

    def announce_address(self) -> None:
        """Say where to point the browser, once something answers there."""
        while not answers(settings.HOST, settings.PORT):
            time.sleep(0.1)
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        address = f"http://{host}:{settings.PORT}/"
        if settings.LOCAL:
            self.stdout.write(
                f"\n  Draw a digit:  {address}\n  Admin:         {address}admin/\n  Stop:          Ctrl-C\n"
            )
        else:
            self.stdout.write(f"\n  Your proxy may ask {address} for {settings.TRUSTED_ORIGINS[0]}/   Stop: Ctrl-C\n")
