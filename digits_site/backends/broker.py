"""Celery's broker, Redis: what sending a message raises while it is away."""

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

BROKER_ERRORS = (OperationalError, RedisError, OSError)
