"""What settings need beside django-environ: checked numbers."""

from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from environ import Env

Number = TypeVar("Number", int, float)


class Environment(Env):
    """django-environ's reader, and numbers of 0 or more. An empty or missing variable is its default."""

    def number(self, name: str, default: Number) -> Number:
        """Read a number of the default's type. Raises ImproperlyConfigured."""
        text = self.str(name, default="").strip()
        try:
            number = type(default)(text) if text else default
        except ValueError:
            number = type(default)(-1)
        if not 0 <= number < float("inf"):
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise ImproperlyConfigured(f"{name} is {text!r}. It takes {kind}, 0 or more; without it, it is {default}.")
        return number
