"""The rate limit of drawings, in public mode."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import address_of


class PredictThrottle(SimpleRateThrottle):
    """Allow PREDICT_RATE drawings from an address in a window that starts with the first; a batch counts each."""

    scope = "predict"
    left = 0.0
    num_requests: int  # set from PREDICT_RATE by the parent
    duration: int  # seconds

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return self.cache_format % {"scope": self.scope, "ident": address_of(request)}

    def allow_request(self, request: Request, view: APIView) -> bool:
        """A batch is parsed first, to count its drawings, and raises its own errors."""
        drawings = view.drawing_count(request) if hasattr(view, "drawing_count") else 1
        self.left = rate_limit.count(self.get_cache_key(request, view), drawings, self.num_requests, self.duration)
        return self.left < 0

    def wait(self) -> float:
        """Return the seconds until the window ends."""
        return self.left
