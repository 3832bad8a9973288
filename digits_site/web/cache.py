"""How cached values are written to Redis."""

from typing import Any

from django_redis.serializers import json


class JSONSerializer(json.JSONSerializer):
    """Not pickle, django-redis' default: anyone who can write to Redis could run code in every process."""

    def loads(self, value: bytes) -> Any:
        """Return None for what this product did not write, as if it were not there."""
        try:
            return super().loads(value)
        except (ValueError, RecursionError):
            return None
