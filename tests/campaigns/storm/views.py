"""What clients were told in a storm, held against the rows: by WebSocket, by event stream, in answers."""

from collections import defaultdict
from collections.abc import Iterator

from tests.campaigns.storm.history import Lives, Record, final_runs, of_kind

ENDINGS = {"completed", "interrupted", "error"}
MARGIN_SECONDS = 1.0  # between a signal and its record


def sockets(history: list[Record]) -> Iterator[str]:
    """Each client's view: no epoch twice, none left out, nothing that goes back, and in the end what the rows say."""
    clients: dict[str, list[Record]] = defaultdict(list)
    for record in of_kind("ws", history):
        clients[record["client"]].append(record)
    for client, told in clients.items():
        yield from one_socket(client, told, final_runs(history))


def one_socket(client: str, told: list[Record], runs: dict[int, Record]) -> Iterator[str]:
    epochs: dict[int, list[int]] = {}
    ended: dict[int, str] = {}
    connection, position = 0, (0, 0)
    for record in (r for r in told if r["run"] is not None):
        at, run, here = f"{record['t']:.1f} s: {client}", record["run"], (record["run"], record["seq"])
        if record["connection"] != connection:
            connection, position = record["connection"], (0, 0)
        if here < position or (here == position and record["type"] != "snapshot"):
            yield f"{at} was told of {record['type']} at {here} after {position}"
        position = here
        if record["type"] == "snapshot":
            epochs[run] = record["epochs"]
        elif record["type"] == "epoch":
            epochs.setdefault(run, []).append(record["epoch"])
        if epochs.get(run, []) != list(range(1, len(epochs.get(run, [])) + 1)):
            yield f"{at} sees the epochs {epochs[run]} of run {run}"
        if record["status"] in ENDINGS:
            ended[run] = record["status"]
    for run, status in ended.items():
        final = runs.get(run)
        if final and (status, epochs.get(run, [])) != (final["status"], [epoch for epoch, _ in final["epochs"]]):
            known = f"{final['status']} with {len(final['epochs'])} epochs"
            yield f"{client} saw run {run} end {status} with {epochs.get(run, [])}, where it is {known}"


def streams(history: list[Record]) -> Iterator[str]:
    """Each event stream: percentages that are some, epochs that do not go back, an end that is the run's."""
    runs = final_runs(history)
    last: dict[tuple[str, int], int] = {}
    for record in of_kind("sse", history):
        told, stream = record["told"], (record["client"], record["connection"])
        at = f"{record['t']:.1f} s: {stream[0]}, stream {stream[1]}"
        if told.get("event") == "close":
            run = runs.get(told.get("run", 0))
            if run and run["status"] != told["reason"]:
                yield f"{at} was told that run {run['id']} ended {told['reason']}, where it is {run['status']}"
            continue
        if not 0 <= told["percentage"] <= 100:
            yield f"{at} was told of {told['percentage']} per cent"
        if told.get("epoch", 0) < last.get(stream, 0):
            yield f"{at} was told of epoch {told.get('epoch', 0)} after {last[stream]}"
        last[stream] = told.get("epoch", 0)


def drawings(history: list[Record], lives: Lives) -> Iterator[str]:
    """Every drawing is read as the model's own file reads it; none fails while its server is up."""
    known = {number: model for record in of_kind("end", history) for number, model in record["models"].items()}
    for record in of_kind("drawing", history):
        at = f"{record['t']:.1f} s: {record['web']}"
        if record["status"] == 200:
            model, read = known.get(str(record["model"]), {}), (record["prediction"], record["confidence"])
            if read != (model.get("prediction"), model.get("confidence")):
                yield f"{at} read {read}, unlike model {record['model']}: {model}"
        elif record["status"] == 0:
            if lives.up_through(record["web"], record["asked"] - MARGIN_SECONDS, record["t"] + MARGIN_SECONDS):
                yield f"{at} did not answer a drawing, though it was up: {record['code']}"
        elif record["status"] != 503:
            yield f"{at} answered a drawing with {record['status']}"


def requests(history: list[Record], lives: Lives) -> Iterator[str]:
    """One request wins, the others are told which one; every accepted run exists."""
    runs, accepted = final_runs(history), set()
    for record in of_kind("request", history):
        at, status = f"{record['answered']:.1f} s: {record['what']} at {record['web']}", record["status"]
        if status == 0:
            if lives.up_through(record["web"], record["asked"] - MARGIN_SECONDS, record["answered"] + MARGIN_SECONDS):
                yield f"{at} was not answered, though it was up: {record['code']}"
        elif status not in {200, 202, 409, 503}:
            yield f"{at} was answered with {status}"
        if record["run"] is not None and record["run"] not in runs:
            yield f"{at} was told of run {record['run']}, which does not exist"
        if status == 202:
            if record["run"] in accepted:
                yield f"{at} was promised run {record['run']}, as another request was"
            accepted.add(record["run"])
