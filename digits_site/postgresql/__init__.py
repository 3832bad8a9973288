"""PostgreSQL for many threads: what a pool of connections is made with, and how all of them are closed."""

from __future__ import annotations

from typing import Any

WAIT_SECONDS = 2.0  # for a connection; then the caller is told 503
RECONNECT_SECONDS = 2.0  # how long one attempt goes on; the next request makes the next one
IDLE_SECONDS = 60.0


def pool_options(most: int) -> dict[str, Any]:
    """Of psycopg's pool. It starts empty, so that a command that asks little opens little.

    Its attempts to connect wait twice as long each time, so one that went on for long would miss a server that is back.
    """
    options: dict[str, Any] = {"min_size": 0, "max_size": most, "num_workers": 2}
    return options | {"timeout": WAIT_SECONDS, "reconnect_timeout": RECONNECT_SECONDS, "max_idle": IDLE_SECONDS}


def close_connections() -> None:
    """Every connection of this process: a process that is forked must not find one that it seems to own."""
    from django.db import connections

    connections.close_all()
    for connection in connections.all():
        if hasattr(connection, "close_pool"):
            connection.close_pool()
