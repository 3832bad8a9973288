"""The document as a whole: every described view, and the event stream, which is no REST framework view."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from digits_site.openapi import errors, recognition, training  # noqa: F401 (importing describes the views)
from digits_site.openapi.components import COMPONENTS, closed, ref
from digits_site.openapi.describing import describe, operation
from training.models import Status

INFO = {
    "title": "Digits",
    "version": "1.0.0",
    "description": "Reads handwritten digits, and can be watched while its network learns. Live training is also told "
    "over the WebSocket `/ws/training/`. Every answer has its number in `X-Request-ID`. A method that a path does not "
    "take is answered 405 with `Allow`.",
}
TAGS = {
    "drawings": "Drawings in, digits out.",
    "training": "Starting and stopping, and how far the active run is.",
    "runs": "The history.",
    "models": "The registry of models.",
    "documents": "What you are reading.",
}
CLOSING = closed(
    {
        "event": {"const": "close"},
        "reason": {"enum": [s for s in Status.values if s not in {Status.QUEUED, Status.IN_PROGRESS}]},
        "run": {"type": "integer"},
    },
    optional=("run",),
) | {"additionalProperties": True}
REFUSED = errors.refusals(
    "bad_host",
    "bad_request",
    "bad_origin",
    "not_local",
    "proxied_request",
    "too_many_streams",
    "busy",
    "no_streams",
    "database_unavailable",
)
STREAM: dict[str, Any] = {
    "operationId": "streamProgress",
    "summary": "How far the active run is, as an event stream that ends with it.",
    "description": 'Each `data:` is a `Progress`, at least once a second; the last one is `{"event": "close", …}`. '
    "Without an active run that one comes at once.",
    "tags": ["training"],
    "responses": {
        "200": {
            "description": "Server-sent events.",
            "content": {
                "text/event-stream": {"schema": {"type": "string", "x-data": {"anyOf": [ref("Progress"), CLOSING]}}}
            },
        },
        **{
            str(status): {
                "description": response.description,
                "content": {"application/json": {"schema": response.response}},
            }
            for status, response in REFUSED.items()
        },
    },
}

describe(
    "digits_site.openapi.views.SchemaView",
    get=operation("getSchema", tag="documents", summary="This document.", answers={"type": "object"}, rows=False),
)
describe(
    "digits_site.openapi.views.DocsView",
    get=operation(
        "getDocs",
        tag="documents",
        summary="This document as a page.",
        answers={(200, "text/html"): str},
        rows=False,
    ),
)


class Generator(SchemaGenerator):
    """drf-spectacular's, with what it cannot find."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super().get_schema(request, public)
        schema["info"] = INFO
        schema["components"]["schemas"] |= COMPONENTS
        schema["paths"][reverse("progress")] = {"get": STREAM}
        schema["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
        schema["paths"] = dict(sorted(schema["paths"].items()))
        return schema
