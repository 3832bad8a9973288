"""Which run the code that is running now works for, so that its log lines can say so. Plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


@contextmanager
def working_for(run: int) -> Iterator[None]:
    """Everything in this block is done for that run."""
    token = run_id.set(run)
    try:
        yield
    finally:
        run_id.reset(token)
