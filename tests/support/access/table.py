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
        needed = (f"`{self.route}`", " ".join(self.methods), self.scope, self.permission)
        return f"| {' | '.join([*needed, *(cells[caller] for caller in CALLERS)])} |"


def rows(mode: str) -> list[Row]:
    """Of one mode's tables. Raises ValueError for a row that has other columns."""
    section = MATRIX.read_text(encoding="utf-8").split(f"\n## {MODES[mode]}\n")[1].split("\n## ")[0]
    found = []
    for line in re.findall(r"^\| `.*\|$", section, re.M):
        route, methods, scope, permission, *cells = (word.strip() for word in line.strip("|").split("|"))
        row = Row(route.strip("`"), tuple(methods.split()), scope, permission, dict(zip(CALLERS, cells, strict=True)))
        found.append(row)
    return found


def documented(mode: str) -> list[Row]:
    """Every row of the public table, in the other modes with what differs there. A row of theirs must be one of it."""
    public, other = rows("public"), {row: row for row in rows(mode)}
    strange = [str(row) for row in other if row not in public]
    assert not strange, f"access_matrix.txt, {MODES[mode]}: not in the public table: {', '.join(strange)}"
    return [other.get(row, row) for row in public]
