"""The commands for models: list, activate and export them."""

from itertools import islice
from pathlib import Path

import click

from digits.cli import output
from digits.cli.app import FILE, NUMBER, app, connection, json_option, limit_option


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
@click.argument("model", type=NUMBER)
@click.option("--reason", default="", help="Kept with it: why, if it did worse than the active one.")
@json_option
def activate_model(model: int, reason: str, as_json: bool) -> None:
    """Put a model into service."""
    with connection(as_json) as digits:
        answer = digits.activate(model, reason=reason)
    output.say(answer, f"model {answer.id} is active", as_json)


@app.command()
@click.argument("model", type=NUMBER)
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
