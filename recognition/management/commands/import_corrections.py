"""manage.py import_corrections FOLDER: store labelled pictures, or an export, as corrections."""

from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.web.errors import ApiError
from recognition.corrections.importing import LabelledFile, files_in, files_of_csv, files_of_export, import_file
from recognition.prediction import classifier

BAR_WIDTH = 30  # characters


class Refusal(NamedTuple):
    """A row of the table of what was refused."""

    file: str
    code: str
    message: str


class Command(BaseCommand):
    help = "Stores labelled pictures as corrections. The label is the folder's name, or begins the file's name."

    def add_arguments(self, parser: CommandParser) -> None:
        pictures = "with pictures such as 7/ada.png, none/blot.png or 7_ada.png; or the corrections.npz of an export"
        parser.add_argument("folder", type=Path, help=pictures)
        parser.add_argument("--csv", type=Path, help="a table with the columns file and label, for any other names")
        parser.add_argument("--pending", action="store_true", help="leave them to a reviewer")

    def handle(self, *args: Any, **options: Any) -> None:
        files = self.files(options["folder"], options["csv"])
        try:
            model = classifier.in_service()
        except ApiError as error:
            raise CommandError(str(error)) from error
        results = {True: 0, False: 0}
        refusals = []
        for number, file in enumerate(files):
            self.show_progress(number, len(files))
            try:
                results[import_file(file, model, accepted=not options["pending"])] += 1
            except ApiError as error:
                refusals.append(Refusal(shown_name(file.path, options["folder"]), error.code, error.message))
        self.show_progress(len(files), len(files))
        self.show_refusals(refusals)
        self.stdout.write(f"{results[True]} imported, {results[False]} already there, {len(refusals)} refused.")
        if len(refusals) == len(files):
            raise CommandError("No picture was imported.")

    @staticmethod
    def files(folder: Path, table: Path | None) -> list[LabelledFile]:
        """Return the pictures to import. Raises CommandError if there are none."""
        try:
            if folder.suffix == ".npz":
                files = files_of_export(folder)
            elif not folder.is_dir():
                raise CommandError(f"{folder} is not a folder.")
            else:
                files = list(files_of_csv(folder, table)) if table else files_in(folder)
        except (OSError, ValueError) as error:
            raise CommandError(f"{table or folder} cannot be read: {error}") from error
        if not files:
            raise CommandError(f"{table or folder} holds no pictures.")
        return files

    def show_progress(self, done: int, total: int) -> None:
        """Redraw the progress bar, on a terminal only."""
        if self.stderr.isatty():
            filled = BAR_WIDTH * done // total
            bar = "#" * filled + "." * (BAR_WIDTH - filled)
            self.stderr.write(f"\r[{bar}] {done}/{total}", str, "\n" if done == total else "")
            self.stderr.flush()

    def show_refusals(self, refusals: list[Refusal]) -> None:
        if not refusals:
            return
        table = [Refusal("FILE", "CODE", "MESSAGE"), *refusals]
        file_width, code_width = (max(len(row[column]) for row in table) for column in (0, 1))
        for row in table:
            self.stdout.write(f"{row.file:<{file_width}}  {row.code:<{code_width}}  {row.message}")


def shown_name(path: Path, folder: Path) -> str:
    """Return the path in the folder, with control characters escaped: a terminal would obey them."""
    name = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)
