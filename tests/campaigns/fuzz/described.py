"""What schemathesis makes of the OpenAPI document: requests that it allows, and requests that it forbids."""

import random
import re
from collections.abc import Iterator
from typing import Any

import requests as client
import schemathesis
from hypothesis.errors import Unsatisfiable
from schemathesis.transport import SerializationContext

from tests.campaigns.fuzz.bodies import examples
from tests.support.wire import Request

BATCH = 20  # of one operation, before the next
NOWHERE = "http://127.0.0.1"
BOUNDARY = re.compile("boundary=([0-9a-f]{32})$")  # `requests` chooses one at random
FIXED_BOUNDARY = "b" * 32


@schemathesis.serializer("image/*")
def picture(context: SerializationContext, value: Any) -> dict[str, Any]:
    """A raw picture's bytes as they are."""
    return {"data": value if isinstance(value, bytes) else str(value).encode()}


def requests(seed: int, document: dict[str, Any]) -> Iterator[Request]:
    """Turn about of every operation, allowed and forbidden; the event stream is left to others: it may stay open."""
    rng = random.Random(seed)
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [operation for operation in operations if operation.path != "/api/progress/"]
    while True:
        operation = rng.choice(operations)
        mode = rng.choice((schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE))
        try:
            cases = examples(operation.as_strategy(mode), rng.getrandbits(40), BATCH)
        except Unsatisfiable:  # a call without parameters cannot be made wrong
            continue
        for case in cases:
            yield from as_request(case)


def as_request(case: Any) -> Iterator[Request]:
    """As it would be sent by `requests`; nothing where that library refuses to."""
    try:
        prepared = client.Request(**case.as_transport_kwargs(base_url=NOWHERE)).prepare()
    except (client.RequestException, ValueError, UnicodeError):
        return
    names = {"content-length", "user-agent", "x-schemathesis-testcaseid"}  # the last differs with every run
    headers = tuple((name, as_text(value)) for name, value in prepared.headers.items() if name.lower() not in names)
    body = prepared.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b"".join(body)
    if boundary := BOUNDARY.search(as_text(prepared.headers.get("Content-Type", ""))):
        headers = tuple((name, value.replace(boundary[1], FIXED_BOUNDARY)) for name, value in headers)
        body = body.replace(boundary[1].encode(), FIXED_BOUNDARY.encode())
    yield Request(prepared.method or "GET", (prepared.url or "").removeprefix(NOWHERE) or "/", headers, body, "schema")


def as_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
