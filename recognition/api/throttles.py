"""How many drawings one address may send, in public mode."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import client_address


class PredictThrottle(SimpleRateThrottle):
    """PREDICT_RATE drawings in a window that begins with an address' first one; a batch counts as many as it holds."""

    scope = "predict"
    retry_after: float | None = None
    num_requests: int  # set from PREDICT_RATE by the parent
    duration: int  # seconds

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": client_address(request)}

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises what reading the body raises, where a view has to be asked how many drawings there are."""
        drawings = view.drawing_count(request) if hasattr(view, "drawing_count") else 1
        key = self.get_cache_key(request, view)
        self.retry_after = rate_limit.consume(key, drawings, self.num_requests, self.duration)
        return self.retry_after is None

    def wait(self) -> float | None:
        """Seconds until the window ends."""
        return self.retry_after
