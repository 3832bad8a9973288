"""How many drawings one address may send, in public mode."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

# KEYS: the address. ARGV: drawings, how many a window takes, its milliseconds. What is refused is not counted.
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
logger = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def script() -> Any:
    """COUNT, over connections like the cache's: a request waits a second for Redis at most."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    return client.register_script(COUNT)


class PredictThrottle(SimpleRateThrottle):
    """PREDICT_RATE drawings in a window that begins with an address' first one; a batch counts as many as it holds.

    Redis counts, in one step, so that many processes at once let no more through than one would. While it is away
    drawings are answered uncounted rather than refused.
    """

    scope = "predict"
    left = 0.0
    num_requests: int  # set from PREDICT_RATE by the parent
    duration: int  # seconds

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises what reading the body raises, where a view has to be asked how many drawings there are."""
        count = view.drawing_count(request) if hasattr(view, "drawing_count") else 1
        key = f"digits:{self.get_cache_key(request, view)}"
        try:
            left = script()(keys=[key], args=[count, self.num_requests, self.duration * 1000])
        except RedisError as error:
            logger.warning("prediction rate not counted: %s", error)
            return True
        self.left = left / 1000
        return bool(left < 0)

    def wait(self) -> float:
        """Seconds until the window ends."""
        return self.left
