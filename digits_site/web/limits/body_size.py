"""How large a request body may be. The path and the Content-Type say so, hence before the body is read."""

from django.conf import settings

PICTURE_TYPES = ("image/", "multipart/form-data")


def max_body_bytes(path: str, content_type: str) -> int:
    """Return MAX_PICTURE_BYTES for a picture's own body or file where one is taken, else MAX_BODY_BYTES."""
    is_picture = path.removesuffix("/") in settings.PICTURE_PATHS and content_type.lower().startswith(PICTURE_TYPES)
    return int(settings.MAX_PICTURE_BYTES if is_picture else settings.MAX_BODY_BYTES)
