"""A refusal in the words of whoever asked: a page for a browser, the API's JSON for the rest."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from digits_site.exceptions import error_response
from recognition.metrics import refused


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/ws/")) or "text/html" not in request.headers.get("Accept", "")


def problem(status: int, code: str, message: str, request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return error_response(status, code, message)
    refused(code)
    template = "500.html" if status >= 500 else "problem.html"  # the former needs nothing that may be what is broken
    return render(request, template, {"status": status, "message": message}, status=status)
