"""python -m tests.support.contenders: one of several processes that do the same to the same run, when told to, at once.

Each line on the standard input is the name of an act; its answer is a line on the standard output.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
django.setup()

from tests.support.runs import PARAMETERS  # noqa: E402
from training import services  # noqa: E402
from training.errors import RunActive  # noqa: E402
from training.models import Status, TrainingRun  # noqa: E402
from training.worker.watchdog import LOST_SECONDS, Watchdog  # noqa: E402


class Member:
    """What this process has seen of the active run before it acts."""

    def clear(self) -> str:
        """To be told to one process: no run is active."""
        TrainingRun.objects.active().update(status=Status.INTERRUPTED)
        return "cleared"

    def look(self) -> str:
        self.run = TrainingRun.objects.active().newest()
        self.dog = Watchdog(is_worker=False)
        self.dog._first = False
        self.dog.poll(0.0)
        return "looked"

    def request(self) -> str:
        try:
            return f"started {services.request_run(services.RunRequest('original', PARAMETERS)).pk}"
        except RunActive as error:
            return f"refused {error.details['run']}"

    def claim(self) -> str:
        return f"claimed {self.run.attempt}" if self.run.claim(str(os.getpid())) else "left"

    def sweep(self) -> str:
        """As if the run had been silent for too long since the look."""
        self.dog.poll(LOST_SECONDS)
        return "swept"

    def state(self) -> str:
        run = TrainingRun.objects.latest("pk")
        return f"{run.status} {run.attempt} {run.seq} {TrainingRun.objects.active().count()}"


if __name__ == "__main__":
    member = Member()
    print("ready", flush=True)
    for line in sys.stdin:
        print(getattr(member, line.strip())(), flush=True)
