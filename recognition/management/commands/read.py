"""manage.py read FILE…: print what the model in service, or another one, predicts for pictures, for scripts."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as AnyDatabaseError

from digits_site.web.errors import ApiError
from recognition.api.answers.predictors import DIGIT, NUMBER, Answer, Predictor
from recognition.api.parsing.drawings import prepare
from recognition.corrections.importing import read, read_stream
from recognition.imaging import EncodedImage
from recognition.prediction import classifier, kept_models
from recognition.prediction.classifier import Classifier

STDIN = "-"
EPILOG = """A line for each file. Its columns are separated by tabs:

  98105  97.20                              what it shows, and the confidence in per cent
  98105  61.83  uncertain  low_confidence   why the answer is uncertain, if it is
  a.png  98105  97.20                       with several files, the name first

A file that cannot be predicted gets a line on standard error instead, and the exit status is 1."""


class Command(BaseCommand):
    help = "Prints the digit or number that each picture shows. Needs the database, but neither a server nor Redis."

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        return super().create_parser(*args, **options, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a picture; - is standard input")
        parser.add_argument("--number", action="store_true", help="predict a line of digits instead of one digit")
        parser.add_argument("--model", type=int, metavar="ID", help="predict by this model, not the one in service")
        parser.add_argument(
            "--json", action="store_true", help="print a line of JSON for each file, as the API answers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[str] = options["files"]
        predictor: Predictor[Any, Any] = NUMBER if options["number"] else DIGIT
        try:
            number: int | None = options["model"]
            model = classifier.in_service() if number is None else kept_models.get(number)
        except (ApiError, AnyDatabaseError) as error:
            raise CommandError(f"No model can be loaded: {error}") from error
        failed = 0
        for file in files:
            try:
                answer = predict_file(file, model, predictor)
            except ApiError as error:
                failed += 1
                self.stderr.write(f"{file}: {error.message}")
            else:
                prefix = [file] if len(files) > 1 else []
                line = json.dumps({"file": file} | answer) if options["json"] else "\t".join(prefix + columns(answer))
                self.stdout.write(line)
        if failed:
            raise CommandError(f"{failed} of {len(files)} files could not be predicted.")


def predict_file(file: str, model: Classifier, predictor: Predictor[Any, Any]) -> Answer:
    """Return the answer for a file, as the API gives it. Raises ApiError."""
    content = read_stream(sys.stdin.buffer) if file == STDIN else read(Path(file))
    drawing = prepare(EncodedImage(content), predictor.find)
    [prediction] = predictor.predict(model, [drawing.found])
    return predictor.answer(model, drawing, prediction)


def columns(answer: Answer) -> list[str]:
    """Return the columns of an answer: the digits, the confidence and, of an uncertain one, the reason."""
    digits = answer["number"] if "number" in answer else answer["prediction"]
    uncertain = ["uncertain", answer["uncertain_reason"]] if answer["uncertain"] else []
    return [str(digits), f"{answer['confidence']:.2f}", *uncertain]
