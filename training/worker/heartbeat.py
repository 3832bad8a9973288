"""Which workers there are: each says every two seconds that it lives. Redis keeps it, for whoever looks at the admin.

Ages are taken from Redis' own clock, so that machines whose clocks differ agree.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

KEY = "digits:workers"
ALIVE_SECONDS = 10.0
FORGET_SECONDS = 3600.0
QUEUE = "celery"  # Celery's name of the one queue there is


@dataclass(frozen=True)
class Worker:
    """A worker process, `host:pid` as runs name it, and the seconds since its last word."""

    name: str
    age: float


@dataclass(frozen=True)
class Health:
    """What Redis tells of the queue; `workers` answered within the last ten seconds."""

    queued: int
    workers: list[Worker]


@lru_cache(maxsize=1)
def client() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, decode_responses=True)


def me() -> str:
    """This process, as the runs that it takes name their worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def say_alive() -> None:
    """Called by a worker's watchdog. Raises RedisError."""
    now = clock()
    with client().pipeline() as pipe:
        pipe.zadd(KEY, {me(): now})
        pipe.zremrangebyscore(KEY, "-inf", now - FORGET_SECONDS)
        pipe.execute()


def health() -> Health:
    """Raises RedisError while Redis is away."""
    now = clock()
    found = client().zrangebyscore(KEY, now - ALIVE_SECONDS, "+inf", withscores=True)
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return Health(client().llen(f"{prefix}{QUEUE}"), [Worker(name, max(0.0, now - score)) for name, score in found])


def clock() -> float:
    seconds, microseconds = client().time()
    return float(seconds) + microseconds / 1e6
