"""manage.py export_corrections FOLDER: write the accepted corrections as files for training elsewhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import pluralize

from recognition.corrections.exporting import KINDS, export_files
from recognition.models import Correction


class Command(BaseCommand):
    help = "Writes the accepted corrections as MNIST's IDX files, or as one NPZ and one CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="created if it does not exist")
        parser.add_argument("--format", choices=KINDS, default="idx", help="idx leaves out corrections of no digit")

    def handle(self, *args: Any, **options: Any) -> None:
        accepted = Correction.objects.filter(state=Correction.State.ACCEPTED)
        folder: Path = options["folder"]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in export_files(accepted, options["format"]).items():
                (folder / name).write_bytes(content)
                self.stdout.write(f"{folder / name}: {len(content)} bytes")
        except OSError as error:
            raise CommandError(f"The files cannot be written: {error}") from error
        count = accepted.count()
        self.stdout.write(f"{count} accepted correction{pluralize(count)}.")
