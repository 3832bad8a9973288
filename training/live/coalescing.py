"""A reading of the database that all who ask at the same moment share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from django.db import Error as AnyDatabaseError

T = TypeVar("T")


class Shared(Generic[T]):
    """One reading at a time. Nobody is given what was read before they asked: it might lack what they have missed.

    Who asks while a reading is under way waits for the next one, with all others who do: a thousand who ask at once
    cost two readings. A reading that failed has failed for all who waited for it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._lock = asyncio.Lock()
        self._begun = 0  # readings so far; their number is the time here
        self._number = 0  # of the reading that the result is of
        self._result: T | AnyDatabaseError | None = None

    async def get(self, enough: Callable[[T], bool] | None = None) -> T:
        """A result read after this call, or an older one that is `enough`. Raises what the database raised."""
        asked = self._begun
        async with self._lock:
            if self._number <= asked and not self._is(enough):
                self._begun += 1
                number = self._begun
                try:
                    self._result = await self._read()
                except AnyDatabaseError as error:
                    self._result = error
                self._number = number
            if isinstance(self._result, AnyDatabaseError):
                raise self._result.with_traceback(None)
            return self._result  # type: ignore[return-value]

    def _is(self, enough: Callable[[T], bool] | None) -> bool:
        result = self._result
        if enough is None or result is None or isinstance(result, AnyDatabaseError):
            return False
        return enough(result)
