"""What settings need beside django-environ: checked numbers, the database, and the folder of local data."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

from django.conf import settings
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


def prepare_data_folder() -> None:
    """Make DATA_DIR and, in local mode, read or make its secret key. The project's AppConfig calls it."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    if settings.LOCAL and not settings.SECRET_KEY_GIVEN:
        settings.SECRET_KEY = local_secret_key(settings.DATA_DIR / "secret_key")


def local_secret_key(path: Path) -> str:
    """Return the installation's own key, made once: sessions survive a restart, and no default key can leak."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, leaves the key of a process that was faster
        draft.unlink()
    return path.read_text().strip()
