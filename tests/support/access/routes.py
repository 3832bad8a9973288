"""What can be asked for: every route of HTTP and of WebSockets, with the admin's acts and actions by name."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from digits_site.web.admin.actions import ActionAdmin
from training.live.consumers import websocket_urlpatterns

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
ACT = "act/<str:name>/"
ANY_OTHER = "<any other>"


def routes() -> list[str]:
    """Of HTTP. An action of a list in the admin is a route of its own: `/admin/auth/user/ action=delete_selected`."""
    return [each for route, _ in patterns(get_resolver()) for each in by_name(route)]


def sockets() -> list[str]:
    return [f"/{entry.pattern}" if str(entry.pattern) else ANY_OTHER for entry in websocket_urlpatterns]


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route with its view."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        elif isinstance(entry, URLPattern):
            yield simplify_regex(path) if "(?P" in path else f"/{path}", entry.callback


def by_name(route: str) -> Iterator[str]:
    page = pages().get("/".join(route.split("/")[:4]) + "/")
    if page is None or not route.endswith((ACT, f"{page.opts.app_label}/{page.opts.model_name}/")):
        yield route
        return
    acts = list(page.object_actions) if isinstance(page, ActionAdmin) else []
    if route.endswith(ACT):
        yield from (route.replace("<str:name>", act) for act in acts)
        return
    yield route
    for action in [*(name for _, name, _ in page._get_base_actions()), *acts]:
        yield f"{route} action={action}"


def pages() -> dict[str, admin.ModelAdmin]:
    """The admin's models by where they stand."""
    return {f"/admin/{p.opts.app_label}/{p.opts.model_name}/": p for p in admin.site._registry.values()}


def address(route: str, objects: dict[str, int]) -> str:
    """The route with something that is there in the place of each part. `objects` are ids by a part of the route."""
    path = route.split(" ")[0]
    number = next((pk for part, pk in objects.items() if part in path), "")
    words = {"<app_label>": "training", "<url>": "nothing", "<path:content_type_id>": objects["type"]}
    return re.sub(r"<[^>]*>", lambda part: str(words.get(part[0], number)), path)
