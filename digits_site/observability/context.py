"""The current request and run, for log records. Plain Python."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


@contextmanager
def run_context(run: int) -> Iterator[None]:
    """Name the run on all log records of the block."""
    token = run_id.set(run)
    try:
        yield
    finally:
        run_id.reset(token)
