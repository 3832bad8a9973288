"""The API's JSON renderer."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder

OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
encode = JSONEncoder().default  # times and whatever else orjson does not know, as DRF writes them


class JSONRenderer(renderers.JSONRenderer):
    """DRF's renderer with orjson, which takes a tenth of the time; DRF's own where orjson cannot."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        is_indented = ";" in (accepted_media_type or "")
        try:
            if data is not None and not is_indented:
                return orjson.dumps(data, encode, OPTIONS)
        except orjson.JSONEncodeError:  # such as an integer of more than 64 bits
            pass
        return bytes(super().render(data, accepted_media_type, renderer_context))
