"""What settings need beside django-environ: checked numbers."""

from collections.abc import Callable
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
