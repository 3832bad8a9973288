"""Examples of requests, for the OpenAPI document: valid, harmless, and answered as they stand."""

from drf_spectacular.utils import OpenApiExample

SEVEN = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcAQAAAABaduI5AAAAQElEQVR42mP8z8DwkYmBgY"  # pragma: allowlist secret
    "EBK/GfkYOBiYHhD4TLwvj/BFwWymL4/1/+A1TsvwJM9p8DTPbHf5jsT7jJfNhtAwABCxER"  # pragma: allowlist secret
    "KLngKQAAAABJRU5ErkJggg=="  # pragma: allowlist secret
)


def example(body: dict[str, object]) -> list[OpenApiExample]:
    """Return the example of an operation that takes JSON."""
    return [OpenApiExample("", body, request_only=True, media_type="application/json")]
