"""GET /api/schema/, the OpenAPI document, and GET /api/docs/, its page."""

import json
import threading
from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

_lock = threading.Lock()  # drf-spectacular keeps its warnings in a global


@lru_cache(maxsize=1)
def document() -> bytes:
    """Return the OpenAPI 3.1 document as JSON. It takes a tenth of a second, so a process keeps it."""
    with _lock:
        return json.dumps(SchemaGenerator().get_schema(public=True), ensure_ascii=False).encode()


class StaticView(APIView):
    """Open to everybody, reads no data, and ignores the Accept header."""

    authentication_classes = ()
    is_static = True

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


class SchemaView(StaticView):
    @extend_schema(
        operation_id="getSchema",
        tags=["documents"],
        summary="Return this document.",
        responses={200: {"type": "object"}},
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


class DocsView(StaticView):
    """Swagger UI, from files of our own."""

    @extend_schema(
        operation_id="getDocs",
        tags=["documents"],
        summary="Show this document as a page.",
        responses={(200, "text/html"): str},
    )
    def get(self, request: Request) -> HttpResponse:
        return render(request, "recognition/api_docs.html")
