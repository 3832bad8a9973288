"""manage.py export_run 12 --to mlflow URI: write ended runs to an experiment tracker."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.web.errors import unknown
from recognition.errors import ModelRejected
from training.exports.mlflow import export_to_mlflow
from training.exports.record import ExportError, record_of
from training.exports.tensorboard import export_to_tensorboard
from training.models import TrainingRun

TRACKERS = {"tensorboard": export_to_tensorboard, "mlflow": export_to_mlflow}


class Command(BaseCommand):
    help = "Writes ended runs to an experiment tracker. Writing a run again adds nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("runs", type=int, nargs="+", metavar="RUN", help="the number of a run")
        parser.add_argument(
            "--to",
            nargs=2,
            required=True,
            metavar=("TRACKER", "WHERE"),
            help="tensorboard FOLDER, or mlflow URI, as http://127.0.0.1:5000",
        )
        parser.add_argument("--without-model", action="store_true", help="also write runs that have no model")

    def handle(self, *args: Any, **options: Any) -> None:
        tracker, where = options["to"]
        if tracker not in TRACKERS:
            raise CommandError(unknown("tracker", tracker, TRACKERS))
        runs = [find(number, options["without_model"]) for number in dict.fromkeys(options["runs"])]
        failed = []
        for run in runs:
            try:
                self.stdout.write(TRACKERS[tracker](record_of(run), where))
            except (ExportError, ModelRejected) as error:
                failed.append(f"{run}: {error}")
        if failed:
            raise CommandError("\n".join(failed))


def find(number: int, without_model: bool) -> TrainingRun:
    """Return a run that can be exported. Raises CommandError."""
    run = TrainingRun.objects.with_account().select_related("model").filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.")
    if not run.has_ended:
        raise CommandError(f"Run {number} is {run.get_status_display()}. Export it when it has ended.")
    if run.model is None and not without_model:
        raise CommandError(f"Run {number} has no model. --without-model writes its figures alone.")
    return run
