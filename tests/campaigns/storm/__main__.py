"""python -m tests.campaigns.storm --seed 1 --faults 100: a storm, its counts, and status 1 for a violation."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.support.common import processor
from tests.campaigns.storm.checks import ACTIVE, longest_silence, violations
from tests.campaigns.storm.cluster import WEBS, Cluster
from tests.campaigns.storm.faults import Storm
from tests.campaigns.storm.history import History, Record, final_runs, of_kind
from tests.campaigns.storm.witnesses import Witnesses, read_only, sample
from tests.support.stack import eventually

SETTINGS = {"": "digits_site.settings", "fencing": "tests.campaigns.storm.unfenced"}
# Run inside the product, over the storm's data: each model's file, asked for the digit that the storm drew.
ASK_MODELS = """
import json
from recognition import imaging
from recognition.prediction.classifier import Classifier
from recognition.errors import ModelRejected
from recognition.models import ModelVersion
from tests.campaigns.storm.witnesses import DRAWING
digit, found = imaging.prepare(DRAWING), {}
for model in ModelVersion.objects.all():
    try:
        row = Classifier.load(model).probabilities(digit[None])[0].tolist()
        best = max(range(10), key=row.__getitem__)
        found[model.pk] = {"whole": True, "prediction": best, "confidence": round(row[best] * 100, 2)}
    except ModelRejected as error:
        found[model.pk] = {"whole": False, "error": str(error)}
print(json.dumps(found))
"""
SERVE_A_WEAK_MODEL = """
from recognition import registry
from training.models import TrainingRun
registry.activate(TrainingRun.objects.newest().model)
"""


def run_inside(cluster: Cluster, code: str) -> str:
    return cluster.manage("shell", "--verbosity", "0", "-c", code)


def weather(cluster: Cluster, history: History, seed: int, faults: int) -> Counter[str]:
    """The storm with everybody who asks and looks on, until all is quiet again. Counts of the faults by kind."""
    cluster.ended(cluster.train(samples=64, epochs=1))
    # So that runs which ask for it are good enough to serve, and the model in service changes during the storm.
    run_inside(cluster, SERVE_A_WEAK_MODEL)
    witnesses, storm = Witnesses(cluster, history, seed), Storm(cluster, history, seed)
    witnesses.start()
    try:
        storm.blow(faults)
    finally:
        storm.settle()
        witnesses.stop_asking()
    quiet = lambda: all(r["status"] not in ACTIVE for r in cluster.http.get("/api/runs/").json()["results"])  # noqa: E731
    with suppress(AssertionError):  # then the end of the history shows which run is still active
        eventually(quiet, 120)
    clean = cluster.ended(cluster.train(samples=500, epochs=3), 60)
    if clean["status"] != "completed":
        history.add("broken", run=clean)
    time.sleep(3)  # for the last news to arrive
    witnesses.stop()
    return storm.counts


def storm(folder: Path, seed: int, faults: int, bug: str) -> tuple[list[Record], Counter[str], list[str]]:
    """(history, faults by kind, violations)."""
    history = History(folder / "history.jsonl")
    cluster = Cluster(folder, history, SETTINGS[bug])
    try:
        cluster.start()
        counts = weather(cluster, history, seed, faults)
        with closing(read_only(cluster)) as connection:
            history.add("end", runs=sample(connection), models=json.loads(run_inside(cluster, ASK_MODELS)))
    finally:
        cluster.close()
        history.close()
    found = violations(history.records)
    found += [f"after the storm a run did not complete: {r['run']}" for r in of_kind("broken", history.records)]
    return history.records, counts, found


def counted(words: Iterable[object]) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(Counter(map(str, words)).items()))


def report(records: list[Record], counts: Counter[str]) -> None:
    """What happened, in numbers."""
    runs = list(final_runs(records).values())[1:]  # without the one that shipped
    requests, drawn = of_kind("request", records), of_kind("drawing", records)
    ends = (f"{run['status']} {run['error_code']}".strip() for run in runs)
    answers = (f"{r['what']} {r['status'] or 'unanswered'}" for r in requests)
    models = {r["model"] for r in drawn if r["status"] == 200}
    print(f"faults: {counts.total()}: {counted(counts.elements())}")
    print(f"runs: {len(runs)}: {counted(ends)}")
    print(f"attempts: {sum(run['attempt'] for run in runs)}; epochs: {sum(len(run['epochs']) for run in runs)}")
    print(f"requests: {len(requests)}: {counted(answers)}")
    for kind, name in (("ws", "WebSockets"), ("sse", "event streams")):
        told = of_kind(kind, records)
        connections = {(r["client"], r["connection"]) for r in told}
        print(f"{name}: {len(connections)} connections, {len(told)} messages (without batches)")
    print(f"drawings: {counted(r['status'] or 'unanswered' for r in drawn)}; read by {len(models)} models")
    print(f"readings of the rows that differ: {len(of_kind('rows', records))}")
    print(f"longest time without a heartbeat: {longest_silence(records):.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--break", dest="bug", choices=[name for name in SETTINGS if name], default="")
    parser.add_argument("--folder", type=Path, help="where history and logs go; kept")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="digits-drill-"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    bug = f", with the bug {given.bug!r}" if given.bug else ""
    print(f"{processor()}, {len(WEBS)} web processes, 2 workers; seed {given.seed}{bug}", flush=True)
    records, counts, found = storm(folder, given.seed, given.faults, given.bug)
    report(records, counts)
    print(f"took {(time.monotonic() - began) / 60:.1f} minutes\nviolations: {len(found)}")
    for sentence in found:
        print(f"  {sentence}")
    if found or given.folder:
        print(f"history and logs: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
