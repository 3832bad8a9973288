"""manage.py publish_model FILE.onnx --name "…": register a model that was trained elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import capfirst

from digits_site.web.formatting import format_percent, format_significant
from recognition.errors import ModelRejected, StorageUnavailable
from training.learner.config import DatasetError
from training.publishing import publish_file


class Command(BaseCommand):
    help = "Checks an ONNX file, measures and calibrates its network, and registers it. It is not put into service."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="float32 [N, 28, 28, 1] in, ten probabilities out")
        parser.add_argument("--name", required=True, help="what people see beside the model's number")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            published = publish_file(options["file"], options["name"])
        except (ModelRejected, DatasetError, StorageUnavailable) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The model cannot be read or stored: {error}") from error
        model = published.model
        if not published.is_new:
            self.stdout.write(f"This file is {model} already. Nothing was added.")
            return
        self.stdout.write(
            f"{capfirst(str(model))} is registered: {model.percent} on the MNIST test set, "
            f"temperature {format_significant(model.temperature)}, uncertain below "
            f"{format_percent(model.uncertain_below)}, calibration error {format_percent(published.calibration_error)}."
        )
