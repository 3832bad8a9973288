"""manage.py train: one run in the foreground, without Redis or a worker."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import runner, services, shipping
from training.models import Status, TrainingRun
from training.serializers import RunParameters

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
        signal.signal(signal.SIGINT, lambda *_: services.request_stop(run.pk))  # Ctrl-C stops it as the page would
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
