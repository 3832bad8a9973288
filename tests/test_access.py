"""Who may do what: docs/access.md says it, and here it is tried, cell by cell.

`python -m tests.access` prints the tables as they are seen: of every row of the docs, in all three modes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from tests.access.asking import Asking
from tests.access.routes import METHODS, routes, sockets
from tests.access.table import CALLERS, MODES, Row, documented
from tests.access.world import World

Ask = Callable[[str], Asking]
PUBLIC = documented("public")


@pytest.fixture(scope="module")
def asking(django_db_setup: None, django_db_blocker, static_files: None) -> Iterator[Ask]:
    """One world for all that is asked here; nothing of it stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = World()
        made: dict[str, Asking] = {}
        yield lambda mode: made.setdefault(mode, Asking(world, mode))
        transaction.set_rollback(True)


def test_every_route_and_method_has_one_row() -> None:
    """Methods that a route does not take are tried below."""
    rows = Counter((row.route, method) for row in PUBLIC for method in row.methods)
    twice = [f"{method} {route}" for (route, method), count in rows.items() if count > 1]
    assert not twice, f"docs/access.md has more than one row for: {', '.join(twice)}"
    http, ws = (
        {row.route for row in PUBLIC if row.methods != ("WS",)},
        {r.route for r in PUBLIC if r.methods == ("WS",)},
    )
    missing = [*(r for r in routes() if r not in http), *(f"WS {r}" for r in sockets() if r not in ws)]
    help_ = "write rows, let `python -m tests.access` say what is seen, and judge it"
    assert not missing, f"docs/access.md does not say who may use {', '.join(missing)}: {help_}"
    refused = [str(row) for row in PUBLIC if any(cell.startswith("405") for cell in row.cells.values())]
    assert not refused, f"docs/access.md has rows for methods that are not taken: {', '.join(refused)}"
    lost = [*(http - set(routes())), *(ws - set(sockets()))]
    assert not lost, f"docs/access.md has rows for routes that do not exist: {', '.join(lost)}"


@pytest.mark.parametrize("route", [route for route in routes() if " action=" not in route])
def test_a_method_without_a_row_is_refused(asking: Ask, route: str) -> None:
    """By whoever may do most there."""
    rows = [row for row in PUBLIC if row.route == route] or [Row(route, ())]
    others = [method for method in METHODS if not any(method in row.methods for row in rows)]
    answers = {method: asking("public").ask(rows[-1], method, "staff with permission") for method in others}
    taken = {method: answer for method, answer in answers.items() if not answer.startswith("405")}
    assert not taken, f"docs/access.md has no row for these methods of {route}, and their answers are {taken}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(len(PUBLIC)), ids=[str(row) for row in PUBLIC])
def test_a_row_says_what_each_caller_gets(asking: Ask, mode: str, number: int) -> None:
    row = documented(mode)[number]
    seen = asking(mode).cells(row)
    assert asking(mode).leaks == [], "another site's page is let read what its browser should keep to itself"
    wrong = {caller: f"{row.cells[caller]} in the docs, {seen[caller]} seen" for caller in CALLERS}
    wrong = {caller: words for caller, words in wrong.items() if row.cells[caller] != seen[caller]}
    assert not wrong, f"docs/access.md, {MODES[mode]}, {row}: {wrong}\nSeen:\n{row.line(seen)}"
