"""What a history must not hold, as sentences about what it does. Pure: records in, violations out."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.campaigns.storm import views
from tests.campaigns.storm.history import Lives, Record, final_runs, of_kind

ACTIVE = {"queued", "in_progress"}
LEGAL = {
    "queued": {"queued", "in_progress", "interrupted", "error"},
    "in_progress": {"in_progress", "completed", "interrupted", "error", "queued"},
}
CODES = {"worker_lost", "queue_unavailable"}  # what faults of processes may end a run with
STALE_SECONDS = 33.0  # the contract's 30, and the time of a sample and of a write
STALE_ALTOGETHER = 60.0  # though no single web process lived through it
TWO_TRAIN_SECONDS = 2.5
Timeline = dict[int, list[tuple[float, Record]]]


def violations(history: list[Record]) -> list[str]:
    """Every sentence names its second and its run. An empty list is a good storm."""
    runs, lives = timelines(history), Lives(history)
    checks = (
        blind(history),
        one_active(history),
        changes(runs),
        stale(runs, lives, history),
        two_trainers(history, lives),
        endings(history),
        models(history),
        views.sockets(history),
        views.streams(history),
        views.drawings(history, lives),
        views.requests(history, lives),
    )
    return [sentence for check in checks for sentence in check]


def timelines(history: list[Record]) -> Timeline:
    """Each run's row as it was seen to change."""
    seen: Timeline = defaultdict(list)
    for record in history:
        if record["kind"] in {"rows", "end"}:
            for run in record["runs"]:
                if not seen[run["id"]] or seen[run["id"]][-1][1] != run:
                    seen[run["id"]].append((record["t"], run))
    return seen


def blind(history: list[Record]) -> Iterator[str]:
    """Nothing can be said of a storm that nobody saw."""
    for record in of_kind("blind", history):
        yield f"{record['t']:.1f} s: the witness {record['witness']} saw no more: {record['error']}"
    for kind in {"rows", "ws", "sse", "drawing", "request", "trainers", "end"} - {r["kind"] for r in history}:
        yield f"there is no record of {kind}"


def one_active(history: list[Record]) -> Iterator[str]:
    for record in of_kind("rows", history):
        active = [run["id"] for run in record["runs"] if run["status"] in ACTIVE]
        if len(active) > 1:
            yield f"{record['t']:.1f} s: runs {active} are active at once"


def changes(runs: Timeline) -> Iterator[str]:
    """Legal changes of state, epochs that stay, attempts and seq that only grow, rows that rest after their end."""
    for number, timeline in runs.items():
        for (_, old), (t, new) in pairwise(timeline):
            at = f"{t:.1f} s: run {number}"
            if old["status"] not in ACTIVE:
                changes = ", ".join(f"{name} from {old[name]} to {new[name]}" for name in old if old[name] != new[name])
                yield f"{at} changed after its end: {changes}"
            elif new["status"] not in LEGAL[old["status"]]:
                yield f"{at} went from {old['status']} to {new['status']}"
            if new["attempt"] < old["attempt"] or new["seq"] < old["seq"]:
                yield f"{at} went back: attempt {old['attempt']} to {new['attempt']}, seq {old['seq']} to {new['seq']}"
            if new["attempt"] > 3:
                yield f"{at} is at attempt {new['attempt']}"
            if new["epochs"][: len(old["epochs"])] != old["epochs"]:
                yield f"{at} lost or changed epochs: {old['epochs']} became {new['epochs']}"


def silences(timeline: list[tuple[float, Record]], end: float) -> Iterator[tuple[float, float, Record]]:
    """(from, to, row): the times in which an active run showed no sign of life."""
    since, sign, last = 0.0, None, None
    for t, run in timeline:
        if last is not None and (sign != (run["attempt"], run["heartbeat_at"]) or run["status"] not in ACTIVE):
            yield since, t, last
        if sign != (run["attempt"], run["heartbeat_at"]):
            since, sign = t, (run["attempt"], run["heartbeat_at"])
        last = run if run["status"] in ACTIVE else None
    if last is not None:
        yield since, end, last


def stale(runs: Timeline, lives: Lives, history: list[Record]) -> Iterator[str]:
    """No run is active for more than half a minute without a sign of life; one that waits is taken."""
    for number, timeline in runs.items():
        for first, last, run in silences(timeline, history[-1]["t"]):
            if run["attempt"]:
                watched = lives.any_up_through("web", first, first + STALE_SECONDS)
                late = watched and last - first > STALE_SECONDS
                late |= last - first > STALE_ALTOGETHER and lives.any_up_through("web", last - 20, last)
            else:
                served = lives.any_up_through("worker", first, first + STALE_SECONDS)
                served &= lives.up_through("redis", first, first + STALE_SECONDS)
                late = served and last - first > STALE_SECONDS
            if late:
                yield f"{last:.1f} s: run {number} was {run['status']} for {last - first:.1f} s without a sign of life"


def longest_silence(history: list[Record]) -> float:
    """Seconds, over all runs that a worker had taken."""
    found = [silences(timeline, history[-1]["t"]) for timeline in timelines(history).values()]
    return max((last - first for each in found for first, last, run in each if run["attempt"]), default=0.0)


def two_trainers(history: list[Record], lives: Lives) -> Iterator[str]:
    """A worker that lost its run ends the training process that it started."""
    wakes = [t for name, changes in lives.changes.items() if name.startswith("worker") for t, _ in changes]
    for record, after in pairwise([*of_kind("trainers", history), history[-1]]):
        if len(record["workers"]) < 2:
            continue
        first = max([record["t"], *(t for t in wakes if t <= after["t"])])
        awake = all(lives.up_through(name, first, after["t"]) for name in record["workers"])
        if awake and after["t"] - first > TWO_TRAIN_SECONDS:
            yield f"{after['t']:.1f} s: {record['workers']} trained at once for {after['t'] - first:.1f} s"


def endings(history: list[Record]) -> Iterator[str]:
    """What every run is when all is over."""
    asked = {r["run"] for r in of_kind("request", history) if r["what"] == "stop_training"}
    for run in final_runs(history).values():
        numbers = [epoch for epoch, _ in run["epochs"]]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"run {run['id']} has the epochs {numbers}"
        if run["status"] == "completed" and (run["model_id"] is None or len(numbers) != run["max_epochs"]):
            yield f"run {run['id']} is completed with {len(numbers)} epochs and model {run['model_id']}"
        elif run["status"] == "interrupted" and not (run["id"] in asked or None in asked or run["stop_requested_at"]):
            yield f"run {run['id']} is interrupted, and nobody asked for it"
        elif run["status"] == "error" and run["error_code"] not in CODES:
            yield f"run {run['id']} ended with the error {run['error_code']!r}"
        elif run["status"] in ACTIVE:
            yield f"run {run['id']} is still {run['status']}"


def models(history: list[Record]) -> Iterator[str]:
    """Every published file is whole, and every completed run has its own."""
    for record in of_kind("end", history):
        for number, model in record["models"].items():
            if not model["whole"]:
                yield f"the file of model {number} is torn or missing"
        for run in record["runs"]:
            if run["model_id"] is not None and str(run["model_id"]) not in record["models"]:
                yield f"run {run['id']} names model {run['model_id']}, which does not exist"
