"""Read and write the tables of tests/http/access_matrix.txt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MATRIX = Path(__file__).resolve().parents[2] / "http" / "access_matrix.txt"
CALLERS = (
    *("anonymous", "another site's page", "token without scope", "token with scope"),
    *("session without CSRF", "staff without permission", "staff with permission"),
)
HEAD = ("route", "methods", "scope", "permission", *CALLERS)
MODES = {"public": "Public mode", "open": "Public mode where training is open", "local": "Local mode"}
NONE = "–"


@dataclass(frozen=True)
class Row:
    """One or more methods of a route that get the same answers: what they need, and each caller's answer."""

    route: str
    methods: tuple[str, ...]
    scope: str = NONE
    permission: str = NONE
    cells: Mapping[str, str] = field(default_factory=dict, compare=False, hash=False)

    def __str__(self) -> str:
        return f"{' '.join(self.methods)} {self.route}"

    def line(self, cells: Mapping[str, str]) -> str:
        words = (
            f"`{self.route}`",
            " ".join(self.methods),
            self.scope,
            self.permission,
            *map(cells.__getitem__, CALLERS),
        )
        return f"| {' | '.join(words)} |"


def section(mode: str) -> str:
    """What stands under the mode's heading."""
    found = re.search(rf"^## {MODES[mode]}\n(.*?)(?=^## |\Z)", MATRIX.read_text(encoding="utf-8"), re.M | re.S)
    assert found, f"access_matrix.txt has no section {MODES[mode]!r}"
    return found[1]


def rows(mode: str) -> list[Row]:
    """Of one mode's tables. Raises AssertionError for a row that has other columns."""
    found = []
    for line in re.findall(r"^\| `.*\|$", section(mode), re.M):
        words = [word.strip() for word in line.strip("|").split("|")]
        assert len(words) == len(HEAD), f"access_matrix.txt: {len(words)} columns, not {len(HEAD)}: {line}"
        route, methods, scope, permission, *cells = words
        row = Row(route.strip("`"), tuple(methods.split()), scope, permission, dict(zip(CALLERS, cells, strict=True)))
        found.append(row)
    return found


def documented(mode: str) -> list[Row]:
    """Every row of the public table, in the other modes with what differs there. A row of theirs must be one of it."""
    public = rows("public")
    if mode == "public":
        return public
    other = {row: row for row in rows(mode)}
    strange = [str(row) for row in other if row not in public]
    assert not strange, f"access_matrix.txt, {MODES[mode]}: not in the public table: {', '.join(strange)}"
    return [other.get(row, row) for row in public]
