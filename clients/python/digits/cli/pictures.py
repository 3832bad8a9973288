"""The commands for pictures: read them, and correct what was read."""

from pathlib import Path
from typing import Any

import click

from digits.cli import output
from digits.cli.app import FILE, NUMBER, app, connection, json_option
from digits.client import Digits
from digits.errors import DigitsError

LABELS = [*map(str, range(10)), "none"]


@app.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--number", is_flag=True, help="Read a line of digits in each.")
@click.option("--model", type=NUMBER, help="By this model.")
@json_option
def predict(files: tuple[Path, ...], number: bool, model: int | None, as_json: bool) -> None:
    """Read the digit, or with --number the number, in each picture."""
    worst = 0
    with connection(as_json) as digits:
        for file in files:
            try:
                read, answer = read_picture(digits, file, number, model)
            except (DigitsError, OSError) as error:
                output.tell(error, as_json, str(file))
                worst = max(worst, output.exit_code(error))
                continue
            doubt = f"  uncertain: {answer.uncertain_reason}" if answer.uncertain else ""
            text = f"{file}: {read}  {answer.confidence:.1f}%{doubt}"
            output.say({"file": str(file), **answer.as_dict()}, text, as_json)
    raise SystemExit(worst)


def read_picture(digits: Digits, file: Path, number: bool, model: int | None) -> tuple[object, Any]:
    """Return what is read, and the whole answer."""
    if number:
        line = digits.read_number(file, model=model)
        return line.number, line
    answer = digits.predict(file, model=model)
    return answer.prediction, answer


@app.command()
@click.argument("file", type=FILE)
@click.argument("label", type=click.Choice(LABELS))
@json_option
def correct(file: Path, label: str, as_json: bool) -> None:
    """Say which digit a picture shows, so that the network can learn it."""
    with connection(as_json) as digits:
        answer = digits.correct(file, None if label == "none" else int(label))
    output.say(answer, f"correction {answer.id} is {answer.state}", as_json)
