"""DRF's pages of a list."""

from typing import Any

from rest_framework import pagination
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


class PageNumberPagination(pagination.PageNumberPagination):
    """DRF's, described in OpenAPI 3.1: `nullable`, as DRF writes it, exists in 3.0 only.

    A page size out of bounds is refused, not ignored.
    """

    invalid_page_message = "There is no such page."

    def get_page_size(self, request: Request) -> int | None:
        given = request.query_params.get(self.page_size_query_param or "")
        if given is not None and given not in map(str, range(1, (self.max_page_size or 0) + 1)):
            message = f"Must be an integer from 1 to {self.max_page_size}."
            raise ValidationError({str(self.page_size_query_param): [message]})
        return super().get_page_size(request)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            parameter["schema"]["minimum"] = 1
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"maximum": self.max_page_size, "default": self.page_size}
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "count": {"type": "integer", "minimum": 0, "description": "On all pages."},
            "next": address,
            "previous": address,
            "results": schema,
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
