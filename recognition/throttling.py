"""How many drawings one address may send, in public mode."""

import logging

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class PredictThrottle(SimpleRateThrottle):
    """Counted in the cache. While Redis is away drawings are answered uncounted rather than refused."""

    scope = "predict"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except RedisError as error:
            logger.warning("prediction rate not counted: %s", error)
            return True
