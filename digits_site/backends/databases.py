"""How the service uses its database: PostgreSQL through a pool in each process, or SQLite."""

from typing import Any

POOL_WAIT_SECONDS = 2.0  # for a connection; then the client gets a 503
# A server whose machine or network is gone closes no connection: a query would wait a quarter of an hour.
_POSTGRESQL = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",  # read-then-write transactions queue instead of failing with "locked"
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def configure(database: dict[str, Any], pool_size: int) -> dict[str, Any]:
    """Return the database's settings with timeouts and, for PostgreSQL, a pool of at most `pool_size` connections.

    Options of DATABASE_URL come first. Without a pool (0), each request opens a connection.
    """
    database = database | {"CONN_MAX_AGE": 0}  # under ASGI, a thread that holds a connection may never run again
    if not database["ENGINE"].endswith("postgresql"):
        return database | {"OPTIONS": _SQLITE}
    options = _POSTGRESQL | database.get("OPTIONS", {})
    if not pool_size:
        return database | {"OPTIONS": options}
    pool = {
        "min_size": 0,
        "max_size": pool_size,
        "num_workers": 2,
        "timeout": POOL_WAIT_SECONDS,
        "reconnect_timeout": 2.0,  # attempts back off exponentially: a long series would miss a server that is back
        "max_idle": 60.0,
    }
    # The pool checks each connection before it hands it out: the server may have restarted.
    return database | {"CONN_HEALTH_CHECKS": True, "OPTIONS": {**options, "pool": pool}}


def clean(text: bytes | str) -> str:
    """Return text that PostgreSQL takes: UTF-8 without NUL."""
    encoded = text if isinstance(text, bytes) else text.encode("utf-8", "replace")  # a lone surrogate has no UTF-8
    return encoded.decode("utf-8", "replace").replace("\x00", "\ufffd")
