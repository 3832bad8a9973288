"""An ApiError as an HTTP response: a page for a browser, the API's JSON for every other client."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from digits_site.observability.metrics import count_refusal
from digits_site.web.errors import ApiError


def error_body(error: ApiError) -> dict[str, Any]:
    """Count the error and return its JSON: `message` is the legacy API's key, `detail` DRF's, with the same text."""
    count_refusal(error.code)
    return {"code": error.code, "message": error.message, "detail": error.message, **error.details}


def error_response(error: ApiError, request: HttpRequest | None = None) -> HttpResponse:
    """Return the response to `error`: JSON, or a page if a browser made `request`."""
    if request is None or wants_json(request):
        return JsonResponse(error_body(error), status=error.status, headers=error.headers)
    count_refusal(error.code)
    template = "500.html" if error.status >= 500 else "error.html"  # the former needs nothing that may be broken
    response = render(request, template, {"status": error.status, "message": error.message}, status=error.status)
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def wants_json(request: HttpRequest) -> bool:
    """Return whether the client is a program rather than a browser."""
    return request.path.startswith(("/api/", "/ws/")) or "text/html" not in request.headers.get("Accept", "")
