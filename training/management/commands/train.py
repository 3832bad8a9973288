"""manage.py train: one run in the foreground, without Redis or a worker."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from training import services, shipping
from training.errors import NotInProgress, RunMismatch
from training.models import Status, TrainingRun
from training.serializers import RunParameters
from training.worker import runner

PARAMETERS = {"preset": str, "epochs": int, "batch_size": int, "learning_rate": float, "samples": int, "seed": int}


class Command(BaseCommand):
    help = "Trains one run here and now; it stands in the history like any other."

    def add_arguments(self, parser: CommandParser) -> None:
        for name, kind in PARAMETERS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind, dest=name)
        parser.add_argument("--ship", action="store_true", help="make its model the one that ships")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in PARAMETERS if options[name] is not None}
        parameters = RunParameters(data=given)
        if not parameters.is_valid():
            raise CommandError(str(parameters.errors))
        values = dict(parameters.validated_data)
        if TrainingRun.objects.active().exists():
            raise CommandError("A run is active; wait for it or stop it first.")
        run = TrainingRun.objects.create(preset=values.pop("preset"), parameters=values)
        stop_on_interrupt(run)
        runner.execute(run.pk)
        run.refresh_from_db()
        for epoch in run.epochs.all():
            self.stdout.write(f"epoch {epoch.epoch}: accuracy {epoch.accuracy:.4f}, {epoch.seconds:.1f} s")
        if run.status != Status.COMPLETED:
            raise CommandError(f"{run} ended {run.status}: {run.error_code} {run.error}")
        self.stdout.write(f"test accuracy {run.test_accuracy:.4f}")
        if options["ship"]:
            shipping.ship(run)
            self.stdout.write(f"shipped to {shipping.FOLDER}")


def stop_on_interrupt(run: TrainingRun) -> None:
    """Let Ctrl-C stop the run as the page would.

    The request is made in a thread of its own: a signal handler runs in the middle of whatever the main thread does,
    where an exception or a second use of its database connection would break that.
    """
    interrupted = threading.Event()

    def request_stop() -> None:
        interrupted.wait()
        try:
            services.request_stop(run.pk)
        except (NotInProgress, RunMismatch):
            pass  # it has ended already
        finally:
            connection.close()

    threading.Thread(target=request_stop, name="interrupt", daemon=True).start()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())
