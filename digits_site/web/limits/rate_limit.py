"""Fixed-window rate limits: counted in Redis for all processes, and in this process while Redis is away.

Not a package, because `limits` counts refused calls, and its memory has no bound (docs/decisions.md).
"""

import logging
import threading
import time
from functools import lru_cache
from typing import Any

from django_redis import get_redis_connection
from redis.exceptions import RedisError

# KEYS: the counter. ARGV: the cost, the limit, the window in milliseconds.
# Returns nil, or the milliseconds until the window ends. A refused call is not counted.
CONSUME = """
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count + ARGV[1] > tonumber(ARGV[2]) then
    local left = redis.call('PTTL', KEYS[1])
    return left < 0 and tonumber(ARGV[3]) or left
end
redis.call('SET', KEYS[1], 0, 'PX', ARGV[3], 'NX')
redis.call('INCRBY', KEYS[1], ARGV[1])
return nil
"""
MAX_KEYS = 10_000  # about two megabytes
RETRY_SECONDS = 1.0  # after a failure; until then requests do not wait for Redis
logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def script() -> Any:
    """Return CONSUME on the cache's client: a request waits a second for Redis at most."""
    return get_redis_connection().register_script(CONSUME)


class LocalWindows:
    """The same windows in this process's memory. Over MAX_KEYS, the oldest is forgotten."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}  # the end of each window and its count; oldest first
        self._lock = threading.Lock()

    def consume(self, key: str, cost: int, limit: int, window: float) -> float | None:
        now = time.monotonic()
        with self._lock:
            end, count = self._windows.get(key, (0.0, 0))
            if end <= now:
                self._windows.pop(key, None)
                end, count = now + window, 0
            if count + cost > limit:
                return end - now
            while len(self._windows) >= MAX_KEYS and key not in self._windows:
                del self._windows[next(iter(self._windows))]
            self._windows[key] = (end, count + cost)
        return None


local = LocalWindows()
_away_until = 0.0


def consume(key: str, cost: int, limit: int, window: int) -> float | None:
    """Count `cost` under `key`, unless that passes `limit` within `window` seconds from the first call.

    Redis counts in one step, so that concurrent processes together stay within the limit. A negative cost gives back
    what was counted. Refused calls are not counted.

    Returns:
        None, or the seconds until the window ends when the call is refused.
    """
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            left: int | None = script()(keys=[f"digits:{key}"], args=[cost, limit, window * 1000])
            return None if left is None else left / 1000
        except RedisError as error:
            _away_until = time.monotonic() + RETRY_SECONDS
            logger.warning("rate limits are counted in this process only, Redis is away: %s", error)
    return local.consume(key, cost, limit, window)
