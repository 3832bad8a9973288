"""The commands. Exit codes: 0 done, 1 a run did not complete, 2 wrong words, 3 refused, 4 not now, 130 interrupted."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from digits.calls import LOCAL
from digits.cli import output, progress
from digits.client import Digits
from digits.errors import DigitsError

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
LABELS = [*map(str, range(10)), "none"]


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON: an object a line.")(command)


def limit_option(command: Command) -> Command:
    return click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)(command)


@click.group()
@click.option("--url", envvar="DIGITS_URL", default=LOCAL, show_default=True, help="Or DIGITS_URL.")
@click.option("--token", envvar="DIGITS_TOKEN", help="An access token, where one is needed. Or DIGITS_TOKEN.")
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds in which a busy or absent server is asked again.",
)
@click.pass_context
def app(context: click.Context, /, **server: Any) -> None:
    """Read handwritten digits, train the network and watch it learn."""
    context.obj = server


@contextmanager
def connection(as_json: bool) -> Iterator[Digits]:
    """Connect to the chosen server; errors end the command."""
    with output.told_errors(as_json), Digits(**click.get_current_context().obj) as digits:
        yield digits


@app.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--number", is_flag=True, help="Read a line of digits in each.")
@click.option("--model", type=int, help="By this model.")
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


@app.command()
@click.option("--preset", help="original, which is the default, fast, handwriting or adapt.")
@click.option("--epochs", type=int, help="1 to 100; without, the preset's, as for the next three.")
@click.option("--batch-size", type=int, help="Digits in a batch.")
@click.option("--learning-rate", type=float, help="Its highest, or first.")
@click.option("--samples", type=int, help="Training digits.")
@click.option("--seed", type=int, help="Repeats a run; without, a random one.")
@click.option("--from-run", type=int, help="Go on from the last epoch of this run, with its recipe.")
@click.option("--name", help="To find the run again.")
@click.option("--queue", is_flag=True, help="Wait for other runs to end.")
@click.option("--activate", is_flag=True, help="Activate the model if it is at least as accurate as the active one.")
@click.option("--watch", is_flag=True, help="Show the run until it ends.")
@json_option
def train(watch: bool, as_json: bool, activate: bool, queue: bool, **parameters: Any) -> None:
    """Start a run."""
    with connection(as_json) as digits:
        run = digits.train(**parameters, activate=activate or None, queue=queue or None)
        if watch:
            follow(digits, run, as_json)
        else:
            output.say({"run": run}, f"run {run} is queued", as_json)


@app.command()
@click.argument("run", type=int)
@click.option("--name", help="To find the run again.")
@click.option("--notes", help="Whatever else is worth knowing.")
@click.option("--tag", "tags", multiple=True, help="In place of its tags; repeat it for several.")
@click.option("--baseline", is_flag=True, help="Compare other runs with it.")
@json_option
def describe(run: int, name: str | None, notes: str | None, tags: list[str], baseline: bool, as_json: bool) -> None:
    """Name or tag a run, or choose it as the baseline."""
    with connection(as_json) as digits:
        answer = digits.describe(run, name=name, notes=notes, tags=tags or None, baseline=baseline or None)
    output.say(answer, f"run {run}: {' '.join(filter(None, [answer.name, *answer.tags]))}", as_json)


@app.command()
@click.argument("run", type=int, required=False)
@json_option
def watch(run: int | None, as_json: bool) -> None:
    """Show a run from its beginning to its end; without RUN, all that happens."""
    with connection(as_json) as digits:
        follow(digits, run, as_json)


def follow(digits: Digits, run: int | None, as_json: bool) -> None:
    """Show a run; exit 1 if it does not complete. Ctrl-C ends the looking, not the run."""
    try:
        completed = progress.show(digits.watch(run), as_json, digits.run(run) if run else None)
    except KeyboardInterrupt:
        if run:
            output.errors.print(f"Run {run} goes on: digits watch {run}, digits stop {run}")
        raise SystemExit(output.GONE) from None
    if not completed:
        raise SystemExit(output.FAILED)


@app.command()
@click.argument("run", type=int, required=False)
@json_option
def stop(run: int | None, as_json: bool) -> None:
    """Stop the active run at its next batch, or cancel the waiting RUN; with RUN only that one."""
    with connection(as_json) as digits:
        stopped = digits.stop(run)
    output.say({"run": stopped}, f"run {stopped} stops", as_json)


@app.command()
@click.option("--status", help="Only with this status.")
@click.option("--tag", help="Only with this tag.")
@click.option("--search", help="Only with these words in name, notes, tags, preset or account.")
@limit_option
@json_option
def runs(limit: int, as_json: bool, **filters: str | None) -> None:
    """List the runs, newest first."""
    columns = {
        "run": lambda run: run.id,
        "status": lambda run: run.status,
        "name": lambda run: run.name,
        "preset": lambda run: run.preset,
        "epochs": lambda run: f"{run.finished_epochs}/{run.max_epochs}",
        "test set": lambda run: output.per_cent(run.test_accuracy),
        "model": lambda run: f"{run.model}{' (active)' if run.in_service else ''}" if run.model else None,
        "by": lambda run: run.requested_by,
        "queued": lambda run: output.moment(run.queued_at),
    }
    with connection(as_json) as digits:
        output.print_table(islice(digits.runs(**filters), limit), columns, as_json)


@app.group()
def models() -> None:
    """List and activate models."""


@models.command("list")
@limit_option
@json_option
def list_models(limit: int, as_json: bool) -> None:
    """List the models, newest first."""
    columns = {
        "model": lambda model: model.id,
        "name": lambda model: model.name or None,
        "test set": lambda model: output.per_cent(model.test_accuracy),
        "run": lambda model: model.run,
        "active": lambda model: "yes" if model.in_service else "",
        "made": lambda model: output.moment(model.created_at),
    }
    with connection(as_json) as digits:
        output.print_table(islice(digits.models(), limit), columns, as_json)


@models.command("activate")
@click.argument("model", type=int)
@click.option("--reason", default="", help="Kept with it: why, if it did worse than the active one.")
@json_option
def activate_model(model: int, reason: str, as_json: bool) -> None:
    """Put a model into service."""
    with connection(as_json) as digits:
        answer = digits.activate(model, reason=reason)
    output.say(answer, f"model {answer.id} is active", as_json)


@app.command()
@click.argument("model", type=int)
@click.option("--output", "-o", "file", type=FILE, help="Where to; else model-12.onnx.")
@click.option("--keras", is_flag=True, help="The Keras file in place of the ONNX file.")
@json_option
def export(model: int, file: Path | None, keras: bool, as_json: bool) -> None:
    """Save a model's file."""
    kind = "keras" if keras else "onnx"
    target = file or Path(f"model-{model}.{kind}")
    with connection(as_json) as digits:
        size = target.write_bytes(digits.export(model, kind))
    output.say({"file": str(target), "bytes": size}, f"{target}: {size} bytes", as_json)


def main() -> None:
    """Run the command line, and exit."""
    try:
        app(standalone_mode=False)
    except click.Abort:  # Ctrl-C
        sys.exit(output.GONE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
