"""The command `digits`. Importing the modules adds their commands.

Exit codes: 0 done, 1 a run did not complete, 2 wrong words or file, 3 refused, 4 not now, 130 interrupted.
"""

import io
import sys

import click

from digits.cli import models, output, pictures, runs  # noqa: F401
from digits.cli.app import app


def main() -> None:
    """Run the command line, and exit. What the terminal's encoding lacks is printed as its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(standalone_mode=False)
    except click.Abort:  # Ctrl-C
        sys.exit(output.GONE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
