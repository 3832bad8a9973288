"""The presence of worker processes, kept in Redis for the admin and the metrics.

Ages come from Redis' clock, so that machines whose clocks differ agree.
"""

import os
import socket
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

KEY = "digits:workers"
ALIVE_SECONDS = 10.0
FORGET_SECONDS = 3600.0
QUEUE = "celery"  # Celery's default queue, which holds runs only


@lru_cache(maxsize=1)
def client() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, decode_responses=True)


def worker_name() -> str:
    """Return this process's name, `host:pid`."""
    return f"{socket.gethostname()}:{os.getpid()}"


def refresh() -> None:
    """Store the time at which this worker was last seen. Raises RedisError."""
    now = clock()
    with client().pipeline() as pipe:
        pipe.zadd(KEY, {worker_name(): now})
        pipe.zremrangebyscore(KEY, "-inf", now - FORGET_SECONDS)
        pipe.execute()


def health() -> tuple[int, dict[str, float]]:
    """Return the queue's length, and the age in seconds of each worker seen in the last ten.

    Raises RedisError while Redis is away.
    """
    now = clock()
    found = client().zrangebyscore(KEY, now - ALIVE_SECONDS, "+inf", withscores=True)
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return client().llen(f"{prefix}{QUEUE}"), {name: max(0.0, now - score) for name, score in found}


def clock() -> float:
    """Return Redis' time in seconds since 1970."""
    seconds, microseconds = client().time()
    return float(seconds) + microseconds / 1e6
