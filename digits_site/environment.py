"""What settings need beside the environment itself: numbers, of which a wrong one is named; a key if none is given."""

from __future__ import annotations

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
    """django-environ's, which also reads numbers of 0 or more; the default where one is empty or not set."""

    def whole(self, name: str, default: int) -> int:
        """Raises ImproperlyConfigured."""
        return self._number(name, default, int, "a whole number")

    def decimal(self, name: str, default: float) -> float:
        """Raises ImproperlyConfigured."""
        return self._number(name, default, float, "a number")

    def _number(self, name: str, default: Number, kind: Callable[[str], Number], words: str) -> Number:
        text = self.str(name, default="").strip()
        try:
            number = kind(text) if text else default
        except ValueError:
            number = kind("-1")
        if not 0 <= number < float("inf"):
            raise ImproperlyConfigured(f"{name} is {text!r}. It takes {words}, 0 or more; without it, it is {default}.")
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
