"""Django's backend for PostgreSQL, whose pool survives a restart of the server."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import ConnectionPool

TRIES = 3


class DatabaseWrapper(base.DatabaseWrapper):
    """Hands out no dead connection.

    The pool's own check finds one dead connection at a time and rests for a second or more after each, so that after
    a restart requests fail though the server is back. Here the first that is found dead empties the pool.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError when none is to be had in WAIT_SECONDS."""
        if not self.pool:
            return super().get_new_connection(conn_params)
        for _ in range(TRIES):
            connection = super().get_new_connection(conn_params)
            try:
                ConnectionPool.check_connection(connection)
            except OperationalError:
                self.pool.putconn(connection)  # which throws it away
                self.pool.drain()
            else:
                return connection
        raise OperationalError("The database closes every connection.")
