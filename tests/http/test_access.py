"""Who may do what: access_matrix.txt says it, and here it is tried, cell by cell."""

from collections import Counter

import pytest

from tests.support.access.asking import asking
from tests.support.access.routes import METHODS, routes, sockets
from tests.support.access.table import MODES, documented
from tests.support.access.world import World


def test_every_route_has_its_rows_and_every_row_its_route() -> None:
    """Methods that a route does not take are tried below."""
    rows = documented("public")
    count = Counter((row.route, method) for row in rows for method in row.methods)
    twice = [f"{method} {route}" for (route, method), times in count.items() if times > 1]
    assert not twice, f"access_matrix.txt has more than one row for: {', '.join(twice)}"
    ws = {row.route for row in rows if row.methods == ("WS",)}
    http = {row.route for row in rows if row.methods != ("WS",)}
    missing = [*(r for r in routes() if r not in http), *(f"WS {r}" for r in sockets() if r not in ws)]
    help_ = "write rows, let the test below say what is seen, and judge it"
    assert not missing, f"access_matrix.txt does not say who may use {', '.join(missing)}: {help_}"
    lost = [*(http - set(routes())), *(ws - set(sockets()))]
    assert not lost, f"access_matrix.txt has rows for routes that do not exist: {', '.join(lost)}"
    refused = [str(row) for row in rows if any(cell.startswith("405") for cell in row.cells.values())]
    assert not refused, f"access_matrix.txt has rows for methods that are not taken: {', '.join(refused)}"


@pytest.mark.django_db
def test_a_method_without_a_row_is_refused() -> None:
    """By the caller with the most permissions. An action of an admin list is a POST, which has a row."""
    rows = documented("public")
    by_route = {row.route: row for row in rows if row.methods != ("WS",) and " action=" not in row.route}
    named = {(row.route, method) for row in rows for method in row.methods}
    others = [(row, method) for row in by_route.values() for method in METHODS if (row.route, method) not in named]
    with asking(World(), "public") as callers:
        answers = {f"{method} {row.route}": callers.ask(row, method, "staff with permission") for row, method in others}
    taken = [what for what, answer in answers.items() if not answer.startswith("405")]
    assert not taken, f"access_matrix.txt has no row for: {', '.join(taken)}"


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_every_caller_gets_what_the_docs_say(mode: str) -> None:
    with asking(World(), mode) as callers:
        every = [(row, callers.cells(row)) for row in documented(mode)]
    wrong = []
    for row, seen in every:
        differing = {who: f"{row.cells[who]}, seen {seen[who]}" for who in seen if row.cells[who] != seen[who]}
        if differing:
            wrong.append(f"{row}: {differing}\n{row.line(seen)}")
    assert not wrong, f"access_matrix.txt, {MODES[mode]}, {len(wrong)} rows are wrong:\n" + "\n".join(wrong)
    assert callers.leaks == [], "CORS lets another site's page read what its browser should keep to itself"
    assert sum(len(seen) for _, seen in every) > 900
