"""How often something happened in a window of time: counted in Redis for all processes, here while Redis is away."""

from __future__ import annotations

import logging
import threading
import time
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError

# KEYS: what is counted. ARGV: how many more, how many a window takes, its milliseconds. What is refused is not counted.
# Answers -1, or after how many milliseconds to come again.
COUNT = """
local counted = tonumber(redis.call('GET', KEYS[1]) or '0')
if counted + ARGV[1] > tonumber(ARGV[2]) then
    local left = redis.call('PTTL', KEYS[1])
    return left < 0 and tonumber(ARGV[3]) or left
end
redis.call('SET', KEYS[1], 0, 'PX', ARGV[3], 'NX')
redis.call('INCRBY', KEYS[1], ARGV[1])
return -1
"""
MOST_KEYS = 10_000  # about two megabytes
RETRY_SECONDS = 1.0  # a Redis that does not answer is not waited for again by every request
logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def script() -> Any:
    """COUNT, over connections like the cache's: a request waits a second for Redis at most."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    return client.register_script(COUNT)


class LocalWindows:
    """The same counts in this process's memory. When there are too many, the one that began first is forgotten."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}  # when a window ends, and what was counted; oldest first
        self._lock = threading.Lock()

    def count(self, key: str, more: int, most: int, seconds: float) -> float:
        """As `count` below."""
        now = time.monotonic()
        with self._lock:
            end, counted = self._windows.get(key, (0.0, 0))
            if end <= now:
                self._windows.pop(key, None)
                end, counted = now + seconds, 0
            if counted + more > most:
                return end - now
            while len(self._windows) >= MOST_KEYS and key not in self._windows:
                del self._windows[next(iter(self._windows))]
            self._windows[key] = (end, counted + more)
        return -1.0


local = LocalWindows()
_away_until = 0.0


def count(key: str, more: int, most: int, seconds: int) -> float:
    """Count `more` under `key`, `most` in a window of `seconds` that begins with its first count.

    Answers -1, or after how many seconds to come again; what is refused is not counted.

    Redis counts in one step, so that many processes at once let no more through than one would. While it is away each
    process counts for itself: several let through several times as much, and none without limit.
    """
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            left: float = script()(keys=[f"digits:{key}"], args=[more, most, seconds * 1000])
            return left / 1000 if left >= 0 else -1.0
        except RedisError as error:
            _away_until = time.monotonic() + RETRY_SECONDS
            logger.warning("counting in this process alone, Redis is away: %s", error)
    return local.count(key, more, most, seconds)
