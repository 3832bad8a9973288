"""A refusal in the words of whoever asked: a page for a browser, the API's JSON for the rest."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from digits_site.observability.metrics import count_refusal
from digits_site.web.exception_handler import error_response


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/ws/")) or "text/html" not in request.headers.get("Accept", "")


def problem(status: int, code: str, message: str, request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return error_response(status, code, message)
    count_refusal(code)
    template = "500.html" if status >= 500 else "error.html"  # the former needs nothing that may be what is broken
    return render(request, template, {"status": status, "message": message}, status=status)
