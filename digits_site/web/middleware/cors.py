"""CORS headers by django-cors-headers, which builds all of a request's headers to look for one."""

from typing import Any

import corsheaders.middleware
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers


class CorsMiddleware(corsheaders.middleware.CorsMiddleware):
    """Without an Origin, only say that the response varies with it."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response: Any = self.get_response(request)
        if self.is_enabled(request):
            patch_vary_headers(response, ("origin",))
        return response
