"""The command line `digits`."""

from digits.cli.main import main

__all__ = ["main"]
