"""How commands print: for people as text and tables, with --json for programs; and how errors end a command."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from digits.answers import Answer
from digits.errors import BadArgument, Busy, DigitsError, Refused, UnknownAnswer, Unreachable

# Exit codes, beside 0. 2 is Click's.
FAILED, USAGE, REFUSED, UNAVAILABLE, GONE = 1, 2, 3, 4, 130
CODES: dict[type[Exception], str] = {
    Unreachable: "unreachable",
    UnknownAnswer: "unknown_answer",
    BadArgument: "bad_argument",
}
ENOUGH_COLUMNS = 1000


def plain(**options: Any) -> Console:
    """Return a console that prints what people write as it is."""
    return Console(highlight=False, markup=False, emoji=False, **options)


console = plain(soft_wrap=True)
errors = plain(soft_wrap=True, stderr=True)


def print_json(value: Any) -> None:
    """Print one line of JSON, in ASCII: it survives every terminal, pipe and file name."""
    sys.stdout.write(json.dumps(msgspec.to_builtins(value)) + "\n")
    sys.stdout.flush()


def say(value: Any, text: str, as_json: bool) -> None:
    """Print a value for programs, or a text for people."""
    if as_json:
        print_json(value)
    else:
        console.print(text)


def print_table(rows: Iterable[Answer], columns: dict[str, Callable[[Any], Any]], as_json: bool) -> None:
    """Print rows: a JSON object a line, or a table with these columns."""
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    for row in rows:
        values = (column(row) for column in columns.values())
        table.add_row(*(Text("" if value is None else str(value)) for value in values))
    plain(width=ENOUGH_COLUMNS).print(table)  # long rows are better than cut ones


def per_cent(fraction: float | None) -> str:
    """Return a fraction as people read it."""
    return "" if fraction is None else f"{fraction:.2%}"


def moment(time: datetime) -> str:
    """Return a time as people read it, in their own zone."""
    return f"{time.astimezone():%Y-%m-%d %H:%M}"


@contextmanager
def told_errors(as_json: bool) -> Iterator[None]:
    """End the command with a line and an exit code for what a server or a disk may do."""
    try:
        yield
    except BrokenPipeError:  # Click handles it
        raise
    except (DigitsError, OSError) as error:
        tell(error, as_json)
        raise SystemExit(exit_code(error)) from None


def tell(error: Exception, as_json: bool, name: str = "") -> None:
    """Print an error to standard error, or as JSON to standard output; `name` is the file that it is about."""
    if isinstance(error, OSError):
        name = name or str(error.filename or "")
    if as_json:
        details = {"code": CODES.get(type(error), "file"), "message": str(error)}
        if isinstance(error, Refused):
            details = error.as_dict()
        print_json({"file": name, **details} if name else details)
    else:
        text = (error.strerror if isinstance(error, OSError) else None) or str(error)
        hint = " (Is --url or DIGITS_URL right?)" if isinstance(error, (Unreachable, UnknownAnswer)) else ""
        errors.print(f"{name}: {text}{hint}" if name else f"{text}{hint}")


def exit_code(error: Exception) -> int:
    """Return 2 for a wrong address, token or file, 4 if the server may do it later, 3 if not."""
    if isinstance(error, (BadArgument, OSError)):
        return USAGE
    return UNAVAILABLE if isinstance(error, (Busy, Unreachable)) else REFUSED
