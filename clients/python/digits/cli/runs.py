"""The commands for runs: start, describe, watch, stop and list them."""

from itertools import islice
from typing import Any

import click

from digits.cli import output, progress
from digits.cli.app import NUMBER, app, connection, json_option, limit_option
from digits.client import Digits

COUNT = click.IntRange(min=0)
SENT = "Stop signal sent."  # the answer for an active run, in the words of the service's oldest clients


@app.command()
@click.option("--preset", help="One of `digits presets`; without, original.")
@click.option("--epochs", type=NUMBER, help="1 to 100; without, the preset's, as for the next four.")
@click.option("--batch-size", type=NUMBER, help="Digits in a batch.")
@click.option("--learning-rate", type=click.FloatRange(min=0, min_open=True), help="Its highest, or first.")
@click.option("--samples", type=NUMBER, help="Training digits.")
@click.option("--validation-samples", type=COUNT, help="Training digits held back for validation.")
@click.option("--seed", type=COUNT, help="Repeats a run; without, a random one.")
@click.option("--from-run", type=NUMBER, help="Go on from the last epoch of this run, with its recipe.")
@click.option("--name", help="To find the run again.")
@click.option("--notes", help="Whatever else is worth knowing.")
@click.option("--tag", "tags", multiple=True, help="To find it among others; repeat it for several.")
@click.option("--queue", is_flag=True, help="Wait for other runs to end.")
@click.option("--activate", is_flag=True, help="Activate the model if it is at least as accurate as the active one.")
@click.option("--watch", is_flag=True, help="Show the run until it ends.")
@json_option
def train(watch: bool, as_json: bool, activate: bool, queue: bool, tags: tuple[str, ...], **parameters: Any) -> None:
    """Start a run."""
    with connection(as_json) as digits:
        answer = digits.request_run(**parameters, tags=tags or None, activate=activate or None, queue=queue or None)
        place = answer.queue_position
        if not (watch and (as_json or not place)):
            text = f"run {answer.run} waits, number {place} in line" if place else f"run {answer.run} starts"
            output.say(answer, text, as_json)
        if watch:
            follow(digits, answer.run, as_json)


@app.command()
@json_option
def presets(as_json: bool) -> None:
    """List the presets, with their default parameters."""
    columns = {
        "preset": lambda preset: preset.name,
        "epochs": lambda preset: preset.epochs,
        "batch size": lambda preset: preset.batch_size,
        "learning rate": lambda preset: preset.learning_rate,
        "samples": lambda preset: preset.samples,
        "held back": lambda preset: preset.validation_samples,
        "title": lambda preset: preset.title,
    }
    with connection(as_json) as digits:
        output.print_table(digits.presets(), columns, as_json)


@app.command()
@click.argument("run", type=NUMBER)
@click.option("--name", help="To find the run again.")
@click.option("--notes", help="Whatever else is worth knowing.")
@click.option("--tag", "tags", multiple=True, help="In place of its tags; repeat it for several.")
@click.option("--no-tags", is_flag=True, help="Remove its tags.")
@click.option("--baseline/--no-baseline", default=None, help="Compare other runs with it, or no longer.")
@json_option
def describe(run: int, tags: tuple[str, ...], no_tags: bool, as_json: bool, **description: Any) -> None:
    """Name or tag a run, or choose it as the baseline; what is not given stays."""
    if tags and no_tags:
        raise click.UsageError("Give --tag or --no-tags, not both.")
    with connection(as_json) as digits:
        answer = digits.describe(run, tags=tags if tags or no_tags else None, **description)
    words = [answer.name, *answer.tags, "(baseline)" if answer.baseline else ""]
    output.say(answer, f"run {run}: {' '.join(filter(None, words)) or 'no name and no tags'}", as_json)


@app.command()
@click.argument("run", type=NUMBER, required=False)
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
@click.argument("run", type=NUMBER, required=False)
@json_option
def stop(run: int | None, as_json: bool) -> None:
    """Stop the active run at its next batch, or cancel the waiting RUN; with RUN only that one."""
    with connection(as_json) as digits:
        answer = digits.request_stop(run)
    output.say(answer, f"run {answer.run} stops" if answer.message == SENT else answer.message, as_json)


@app.command()
@click.option("--status", help="Only with this status.")
@click.option("--tag", help="Only with this tag.")
@click.option("--search", help="Only with these words in name, notes, tags, preset or account.")
@click.option("--baseline", is_flag=True, help="Only the baseline.")
@limit_option
@json_option
def runs(limit: int, as_json: bool, baseline: bool, **filters: str | None) -> None:
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
        "requested": lambda run: output.moment(run.queued_at),
    }
    with connection(as_json) as digits:
        output.print_table(islice(digits.runs(**filters, baseline=baseline or None), limit), columns, as_json)
