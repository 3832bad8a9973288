"""What settings need beside django-environ: checked numbers, the database, and the folder of local data."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from environ import Env

Number = TypeVar("Number", int, float)


class Environment(Env):
    """django-environ's reader, and numbers of 0 or more. An empty or missing variable is its default."""

    def whole(self, name: str, default: int) -> int:
        """Read a whole number. Raises ImproperlyConfigured."""
        return self._number(name, default, int, "a whole number")

    def decimal(self, name: str, default: float) -> float:
        """Read a number. Raises ImproperlyConfigured."""
        return self._number(name, default, float, "a number")

    def _number(self, name: str, default: Number, parse: Callable[[str], Number], kind: str) -> Number:
        text = self.str(name, default="").strip()
        try:
            number = parse(text) if text else default
        except ValueError:
            number = parse("-1")
        if not 0 <= number < float("inf"):
            raise ImproperlyConfigured(f"{name} is {text!r}. It takes {kind}, 0 or more; without it, it is {default}.")
        return number


def read_secret_key(file: Path) -> str:
    """Return the key of this installation, or an empty text if none has been made."""
    return file.read_text().strip() if file.exists() else ""


def make_secret_key(file: Path) -> None:
    """Make the key of this installation once: sessions survive a restart, and there is no default key to leak."""
    if not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, file)  # unlike a rename, leaves the key of a process that was faster
        draft.unlink()
