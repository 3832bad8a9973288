"""Real answers held against the product's own OpenAPI document."""

from __future__ import annotations

import json
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator  # it takes a second to import


class Document:
    """The document as it was served; knows which of its responses an answer must be."""

    def __init__(self, content: bytes) -> None:
        self.content: dict[str, Any] = json.loads(content)
        self.validator = lru_cache(maxsize=None)(self._validator)

    @cached_property
    def paths(self) -> list[tuple[re.Pattern[str], str]]:
        """A pattern for each path with its name; `{id}` is a number, as in the URLconf."""
        named = self.content["paths"]
        return [(re.compile(re.sub(r"\\{\w+\\}", r"\\d+", re.escape(path))), path) for path in named]

    def path_of(self, url: str) -> str | None:
        """The path of the document that a URL's path belongs to."""
        return next((path for pattern, path in self.paths if pattern.fullmatch(url)), None)

    def operations(self) -> set[tuple[str, str]]:
        return {(path, method.upper()) for path, methods in self.content["paths"].items() for method in methods}

    def complaint(self, method: str, url: str, status: int, kind: str, body: bytes) -> str:
        """What is wrong with an answer by the document; empty when nothing is.

        What is no operation of the document must be refused, by 404 or 405, in the form of every error.
        """
        path = self.path_of(url)
        operation = self.content["paths"].get(path, {}).get(method.lower())
        if operation is None:
            known = "404" if path is None else "405"
            return self.wrong(("components", "schemas", "Error"), body) if str(status) == known else f"no {known}"
        response = operation["responses"].get(str(status))
        if response is None:
            return f"{status} is not documented for {method} {path}"
        kind = kind.partition(";")[0].strip()
        if kind not in response["content"]:
            return f"{kind or 'no content type'} is not documented for {status} of {method} {path}"
        if kind != "application/json":
            return ""
        return self.wrong(("paths", path, method.lower(), "responses", str(status), "content", kind, "schema"), body)

    def wrong(self, where: tuple[str, ...], body: bytes) -> str:
        try:
            value = json.loads(body)
        except ValueError:
            return f"no JSON: {body[:80]!r}"
        from jsonschema.exceptions import best_match

        error = best_match(self.validator(where).iter_errors(value))
        return f"{error.json_path}: {error.message[:200]}" if error else ""

    def _validator(self, where: tuple[str, ...]) -> Draft202012Validator:
        """Of the schema that stands at `where`; the components come with it, for its references."""
        from jsonschema import Draft202012Validator

        schema: Any = self.content
        for part in where:
            schema = schema[part]
        return Draft202012Validator({**schema, "components": self.content["components"]})
