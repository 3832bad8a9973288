"""The refusals of an operation by their codes: each status, and which codes come with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

import training.errors  # noqa: F401
from digits_site.web.errors import ApiError


def subclasses(of: type[ApiError]) -> Iterator[type[ApiError]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


STATUS = {each.code: each.status for each in subclasses(ApiError) if hasattr(each, "code")}
WORDS = {
    400: "The request is wrong.",
    401: "No account, or a token that does not count.",
    403: "This caller may not.",
    404: "There is no such thing.",
    406: "The answer is JSON, which Accept does not take.",
    409: "It contradicts the present state.",
    413: "Too large.",
    415: "Of a kind that is not read.",
    422: "There is nothing drawn in the picture.",
    429: "Too much from this address.",
    501: "This process serves no streams.",
    503: "Something that is needed is away for the moment.",
}
EVERYWHERE = ("bad_host", "bad_request", "not_local", "proxied_request", "too_many_parts")
READS_ROWS = ("not_acceptable", "database_unavailable")
TAKES_A_BODY = ("bad_origin", "payload_too_large", "invalid_json", "unsupported_media_type")
KNOWS_CALLERS = ("not_authenticated",)
FOR_SOME = (*KNOWS_CALLERS, "permission_denied")
RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    int,
    OpenApiParameter.HEADER,
    response=[429, 503],
    description="Seconds until it is worth asking again.",
)

# `message` is the key of the application before this one, `detail` that of Django REST framework: the same words.
ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Every refusal under /api/.",
    "required": ["code", "message", "detail"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "description": "For programs; does not change."},
        "message": {"type": "string", "description": "For people."},
        "detail": {"type": "string", "description": "The same words as `message`."},
        "run": {"type": "integer", "description": "With `run_active`, `run_mismatch`, `queue_unavailable`: which run."},
        "field": {"type": "string", "description": "With `invalid_parameter`: the first that is wrong."},
        "errors": {"type": "object", "description": "With `invalid_parameter`: all that is wrong, by field."},
    },
}


def refusals(*codes: str) -> dict[int, OpenApiResponse]:
    """A response for each status that these codes come with."""
    by_status = defaultdict(set)
    for code in codes:
        by_status[STATUS[code]].add(code)
    return {status: OpenApiResponse(error(found), WORDS[status]) for status, found in sorted(by_status.items())}


def error(codes: set[str]) -> dict[str, Any]:
    """The schema of an error whose code is one of these."""
    return {
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {"type": "object", "properties": {"code": {"enum": sorted(codes)}}},
        ]
    }
