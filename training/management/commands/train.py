"""manage.py train: one run in the foreground, without Redis or a worker."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from digits_site.web.errors import ApiError
from digits_site.web.formatting import format_duration, format_percent
from training import services, shipping, stopping
from training.errors import NotInProgress, RunActive, RunMismatch
from training.models import Status, TrainingRun
from training.parameters.recipe import RunParameters
from training.worker import runner

OPTIONS = {
    "preset": str,
    "epochs": int,
    "batch_size": int,
    "learning_rate": float,
    "samples": int,
    "validation_samples": int,
    "seed": int,
    "corrections_of": int,
    "from_run": int,
}


class Command(BaseCommand):
    help = "Trains one run in the foreground, and adds it to the history."

    def add_arguments(self, parser: CommandParser) -> None:
        for name, kind in OPTIONS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind, dest=name)
        parser.add_argument("--ship", action="store_true", help="write its model to where the shipped model is")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in OPTIONS if options[name] is not None}
        parameters = RunParameters(data=given)
        if not parameters.is_valid():
            raise CommandError(" ".join(describe(name, reasons) for name, reasons in parameters.errors.items()))
        try:
            run = services.create_run(services.RunRequest.of(parameters.validated_data))
        except RunActive as error:
            raise CommandError(f"{error} Wait for it to end, or stop it.") from error
        except ApiError as error:
            raise CommandError(str(error)) from error
        stop_on_interrupt(run)
        runner.execute(run.pk)
        run.refresh_from_db()
        for epoch in run.epochs.all():
            accuracy, duration = format_percent(epoch.accuracy), format_duration(epoch.seconds)
            self.stdout.write(f"Epoch {epoch.epoch}: accuracy {accuracy}, {duration}")
        if run.status != Status.COMPLETED:
            reason = f": {run.error} ({run.error_code})" if run.error_code else "."
            raise CommandError(f"Run {run.pk} {run.get_status_display()}{reason}")
        self.stdout.write(f"Test accuracy {format_percent(run.test_accuracy)}")
        if options["ship"]:
            shipping.ship(run)
            self.stdout.write(f"The model was written to {shipping.FOLDER}.")


def describe(name: str, reasons: list[str]) -> str:
    """Return what is wrong with an option."""
    return f"--{name.replace('_', '-')}: {' '.join(map(str, reasons))}"


def stop_on_interrupt(run: TrainingRun) -> None:
    """Let Ctrl-C stop the run as the page would.

    A thread makes the request: a signal handler interrupts the main thread anywhere, perhaps in the middle of a query.
    """
    interrupted = threading.Event()

    def request_stop() -> None:
        interrupted.wait()
        try:
            stopping.request_stop(run.pk)
        except (NotInProgress, RunMismatch):
            pass  # it has already ended
        finally:
            connection.close()

    threading.Thread(target=request_stop, name="interrupt", daemon=True).start()

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt `set`, which holds a lock
        interrupted.set()

    signal.signal(signal.SIGINT, handle)
