"""The rate limits of drawings and corrections, in public mode."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import client_address

DRAWINGS_PER_EXPLANATION = 10  # it takes the network hundreds of predictions


class PredictThrottle(SimpleRateThrottle):
    """Allow PREDICT_RATE drawings from an address in a window that starts with the first; a batch counts each.

    Explanations are counted apart, so that asking why does not use up the drawings.
    """

    scope = "predict"
    retry_after: float | None = None
    num_requests: int  # set from PREDICT_RATE by the parent
    duration: int  # seconds

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the drawings. A batch is parsed for that, and raises its own errors."""
        drawings = view.drawing_count(request) if hasattr(view, "drawing_count") else 1
        scope, limit = self.scope, self.num_requests
        if "explain" in request.query_params:
            scope, limit = "explain", max(limit // DRAWINGS_PER_EXPLANATION, 1)
        key = self.cache_format % {"scope": scope, "ident": client_address(request)}
        self.retry_after = rate_limit.consume(key, drawings, limit, self.duration)
        return self.retry_after is None

    def wait(self) -> float | None:
        """Return the seconds until the window ends."""
        return self.retry_after


class CorrectionThrottle(PredictThrottle):
    """Allow CORRECTION_RATE corrections from an address in a window that starts with the first."""

    scope = "correct"
