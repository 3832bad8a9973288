"""Who was alive when, from the history's records of lives."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable

from tests.campaigns.storm.history import Record


class Lives:
    """Every process's states in order: up, paused, down."""

    def __init__(self, history: Iterable[Record]) -> None:
        self.changes: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for record in history:
            if record["kind"] == "life":
                self.changes[record["process"]].append((record["t"], record["state"]))

    def up_through(self, process: str, first: float, last: float) -> bool:
        """Whether it was up, neither killed nor asleep, from `first` to `last`."""
        changes = self.changes[process]
        at = bisect_right(changes, (first, "~"))
        began_up = at > 0 and changes[at - 1][1] == "up"
        return began_up and not any(first < t <= last and state != "up" for t, state in changes)

    def any_up_through(self, kind: str, first: float, last: float) -> bool:
        return any(self.up_through(name, first, last) for name in list(self.changes) if name.startswith(kind))
