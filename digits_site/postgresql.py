"""PostgreSQL for many threads: the options of its connection pool, and how to close every connection."""

from typing import Any

WAIT_SECONDS = 2.0  # for a connection; then the client gets a 503
RECONNECT_SECONDS = 2.0  # of one series of attempts; the next request starts another
IDLE_SECONDS = 60.0


def pool_options(max_size: int) -> dict[str, Any]:
    """Return the options of psycopg's pool. It starts empty, so that a management command opens one connection.

    Attempts to connect back off exponentially, so a long series would miss a server that is back.
    """
    options: dict[str, Any] = {"min_size": 0, "max_size": max_size, "num_workers": 2}
    return options | {"timeout": WAIT_SECONDS, "reconnect_timeout": RECONNECT_SECONDS, "max_idle": IDLE_SECONDS}


def close_connections() -> None:
    """Close every connection of this process: a process that is forked must not share one."""
    from django.db import connections

    connections.close_all()
    for connection in connections.all():
        if hasattr(connection, "close_pool"):
            connection.close_pool()
