"""The command line's root: the server's options, and what several commands have in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from digits.calls import LOCAL
from digits.cli import output
from digits.client import Digits

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
NUMBER = click.IntRange(min=1)  # of a run, a model, epochs, digits: the service checks how many it takes


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON: an object a line.")(command)


def limit_option(command: Command) -> Command:
    return click.option("--limit", type=NUMBER, default=20, show_default=True)(command)


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
@click.version_option(package_name="digits-client")
@click.pass_context
def app(context: click.Context, /, **server: Any) -> None:
    """Read handwritten digits, train the network and watch it learn."""
    context.obj = server


@contextmanager
def connection(as_json: bool) -> Iterator[Digits]:
    """Connect to the chosen server; errors end the command."""
    with output.told_errors(as_json), Digits(**click.get_current_context().obj) as digits:
        yield digits
