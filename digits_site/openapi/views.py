"""GET /api/schema/, the document, and GET /api/docs/, the document for people."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.views import APIView

_making = threading.Lock()  # drf-spectacular keeps its warnings in a global, and sets views aside while it reads them


def document() -> bytes:
    """The OpenAPI 3.1 document of this installation, as JSON; made once a process, in a tenth of a second."""
    with _making:
        return made()


@lru_cache(maxsize=1)
def made() -> bytes:
    from digits_site.openapi.generator import Generator

    return json.dumps(Generator().get_schema(public=True), ensure_ascii=False).encode()


class Document(APIView):
    """For everybody, whatever Accept says: the document is what it is, and a refusal is JSON."""

    authentication_classes = ()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)


class SchemaView(Document):
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


class DocsView(Document):
    """Swagger UI, from files of our own."""

    def get(self, request: Request) -> HttpResponse:
        return render(request, "recognition/api_docs.html")
