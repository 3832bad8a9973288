"""How a view is described: by its name, without being touched."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.views import APIView

from digits_site.accounts.permissions import ScopedPermission
from digits_site.openapi import errors
from training.api.permissions import MayTrain

Decorator = Callable[[Any], Any]


class Schema(AutoSchema):
    """drf-spectacular's, which also knows what is open, and that anybody may train where TRAINING_OPEN says so."""

    def get_auth(self) -> list[dict[str, Any]]:
        needed = [each for each in self.view.get_permissions() if isinstance(each, ScopedPermission)]
        if not needed:
            return []  # open to everybody
        found = super().get_auth()
        return [*found, {}] if isinstance(needed[0], MayTrain) and settings.TRAINING_OPEN else found


class Session(SessionScheme):
    """The page's own way: the session's cookie, and for a POST the CSRF token in X-CSRFToken."""

    match_subclasses, priority = True, 1


class AccessToken(KnoxTokenScheme):
    """A program's way; what a token may do, its scopes say."""

    match_subclasses, priority = True, 1
    name = "accessToken"


def operation(
    name: str, *, tag: str, answers: Any, refused: tuple[str, ...] = (), rows: bool = True, **more: Any
) -> Decorator:
    """`extend_schema` with the refusals that it shares with others; `answers` is one body, or some by status."""
    codes = [*errors.EVERYWHERE, *refused, *(errors.READS_ROWS if rows else ())]
    answers = (
        answers
        if isinstance(answers, dict) and all(isinstance(key, int | tuple) for key in answers)
        else {200: answers}
    )
    more["parameters"] = [*more.get("parameters", ()), errors.RETRY_AFTER]
    return extend_schema(operation_id=name, tags=[tag], responses={**answers, **errors.refusals(*codes)}, **more)


def describe(view: str, **operations: Decorator) -> None:
    """Register what the methods (or a viewset's actions) of a view take and answer; `view` is its dotted name."""

    class Described(OpenApiViewExtension):
        target_class = view

        def view_replacement(self) -> type[APIView]:
            theirs: Any = self.target_class  # loaded by now
            methods = {name: said(stand_in(getattr(theirs, name))) for name, said in operations.items()}
            return type(theirs.__name__, (theirs,), methods)


def stand_in(method: Callable[..., Any]) -> Callable[..., Any]:
    """A function that what is said of a method can be pinned to, instead of to the method itself."""

    @wraps(method)
    def described(*words: Any, **more: Any) -> Any:
        return method(*words, **more)

    return described


def query(name: str, schema: Any, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description, **more)
