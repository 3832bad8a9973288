"""Which request is answered and which run is worked for, so that log lines can say so. Plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


@contextmanager
def working_for(run: int) -> Iterator[None]:
    """Everything in this block is done for that run."""
    token = run_id.set(run)
    try:
        yield
    finally:
        run_id.reset(token)
