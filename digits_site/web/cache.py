"""Redis as a cache: one pool of connections in a process, and sessions whose truth is in the database."""

import json
import logging
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class JSONSerializer:
    """Instead of Django's, which is pickle: whoever can write to Redis could run code in every process."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """None for what was not written here, as if it had been forgotten."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


_clients: dict[tuple[str, ...], RedisCacheClient] = {}


class ProcessCache(RedisCache):
    """Under ASGI Django makes a cache for each request, with connections that only the garbage collector closes."""

    _servers: list[str]
    _class: type[RedisCacheClient]
    _options: dict[str, Any]

    @cached_property
    def _cache(self) -> RedisCacheClient:
        return _clients.setdefault(tuple(self._servers), self._class(self._servers, **self._options))


class SessionCache(ProcessCache):
    """A Redis that is away makes sessions slower, not impossible: what cannot be asked is not there."""

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._tried(super().get, default, key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._tried(super().set, None, key, value, timeout, version)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._tried(super().delete, False, key, version))

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return bool(self._tried(super().has_key, False, key, version))

    @staticmethod
    def _tried(call: Any, otherwise: Any, *words: Any) -> Any:
        try:
            return call(*words)
        except RedisError as error:
            logger.debug("session cache away: %s", error)
            return otherwise
