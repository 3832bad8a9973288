"""drf-spectacular's AutoSchema and extensions, as this API needs them."""

from typing import Any

from django.urls import reverse
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction
from rest_framework import serializers

from digits_site.web import errors
from digits_site.web.openapi.errors import ErrorSerializer, error_responses

ALWAYS = (errors.BadHost, errors.BadRequest, errors.NotLocal, errors.ProxiedRequest, errors.TooManyParts)
UNSAFE_METHOD = (errors.BadOrigin, errors.PayloadTooLarge)
BODY = (errors.InvalidJSON, errors.InvalidBody, errors.UnsupportedMediaType)
DATA = (errors.NotAcceptable, errors.DatabaseUnavailable)

# The operations that ignore their query: the legacy API's GET requests, because its clients may add a parameter to get
# past a cache (`?_=123`), and the static pages. A POST is never cached, so a parameter in its query is a mistake.
IGNORING = ("status", "training-progress", "progress", "model-accuracy", "schema", "docs")

EXAMPLE_ID = 1  # of the shipped run and of its model
WITHOUT_EXAMPLE = {"getRunComparison"}  # the shipped run has no comparison


def ignores_query(path: str) -> bool:
    """Return whether the operations of this path of the document ignore unknown query parameters."""
    return path in map(reverse, IGNORING)


def add_example_id(operation: dict[str, Any], method: str) -> None:
    """Fill in the ID that "Try it out" begins with. A request that changes something needs one from its reader."""
    if method != "GET" or operation["operationId"] in WITHOUT_EXAMPLE:
        return
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = EXAMPLE_ID


def unwrap_examples(content: dict[str, Any]) -> None:
    """Write the only example of a body without a name: Swagger UI would offer the choice of one."""
    for body in content.values():
        if "examples" in body:
            [example] = body.pop("examples").values()
            body["example"] = example["value"]


class Schema(AutoSchema):
    """Adds to an operation the errors that its view's classes imply, and those that `raises` names."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation: Any = super().get_operation(*args, **kwargs)
        self.resolve_serializer(ErrorSerializer, "response")  # registers the component
        method = getattr(self.view, getattr(self.view, "action", None) or self.method.lower())
        add_example_id(operation, self.method)
        unwrap_examples(operation.get("requestBody", {}).get("content", {}))
        operation["responses"] |= error_responses([*self.implied_errors(operation), *getattr(method, "api_errors", ())])
        return operation

    def implied_errors(self, operation: dict[str, Any]) -> list[type[errors.ApiError]]:
        parameters = operation.get("parameters", ())
        is_lookup = any(each["in"] == "path" or each["name"] == "page" for each in parameters)
        return [
            *ALWAYS,
            *(UNSAFE_METHOD if self.method not in {"GET", "HEAD", "OPTIONS"} else ()),
            *(BODY if "requestBody" in operation else ()),
            *((errors.InvalidParameter,) if not ignores_query(self.path) else ()),
            *(DATA if not getattr(self.view, "is_static", False) else ()),
            *((errors.NotAuthenticated,) if self.view.authentication_classes else ()),
            *((errors.PermissionDenied,) if self.scoped_permissions() else ()),
            *((errors.NotFound,) if is_lookup else ()),
        ]

    def scoped_permissions(self) -> list[Any]:
        """Return the permissions that name a token's scope (accounts.permissions.ScopedPermission)."""
        return [permission for permission in self.view.get_permissions() if hasattr(permission, "scope")]

    def get_auth(self) -> list[dict[str, Any]]:
        """A view without a scope is open to everybody; another may be, in some modes."""
        permissions = self.scoped_permissions()
        anonymous: list[dict[str, Any]] = [{}] if all(permission.is_open() for permission in permissions) else []
        return [*super().get_auth(), *anonymous] if permissions else []


class ClosedSerializer(OpenApiSerializerExtension):
    """A serializer's object has no other keys; a model's has all of its keys, except `Meta.optional_fields`."""

    target_class = "rest_framework.serializers.Serializer"
    match_subclasses, priority = True, -1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        schema["additionalProperties"] = False
        for field in schema.get("properties", {}).values():
            field.pop("x-spec-enum-id", None)  # only drf-spectacular's own hook needs it
        if isinstance(self.target, serializers.ModelSerializer):
            optional = getattr(self.target.Meta, "optional_fields", ())
            schema["required"] = [name for name in schema["properties"] if name not in optional]
        return schema


class Session(SessionScheme):
    """The session cookie of the page, with the CSRF token in X-CSRFToken for a POST."""

    match_subclasses, priority = True, 1


class AccessToken(KnoxTokenScheme):
    """A program's token. Its scopes say what it may do."""

    match_subclasses, priority = True, 1
    name = "accessToken"
