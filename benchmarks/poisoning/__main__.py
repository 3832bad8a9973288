"""Corrections with wrong labels, and what becomes of them: ``python -m benchmarks.poisoning``.

People with an unusual hand correct the model, and some labels are wrong. For each scenario: how many wrong ones
the first page of the review wall shows, the decision on a model that learned them all, and what that model misreads.
Each scenario has servers and data of its own. MNIST's held-back training digits teach; the test digits only judge.
"""

import argparse
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.poisoning.corrections import (
    HANDS,
    SCENARIOS,
    SEED,
    Drawing,
    Drawings,
    Scenario,
    Sent,
    corrections,
    drawings,
)
from benchmarks.support.common import OtherLoad, machine, say, table
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually, running

TEST_DIGITS = 10_000  # MNIST's
QUICK = 150, 30, 120, 200  # drawings of each kind
WALL = "/admin/recognition/correction/"
NAME = "reviewer"
PASSWORD = secrets.token_urlsafe()
CREATE = f"from django.contrib.auth.models import User; User.objects.create_superuser('{NAME}', password='{PASSWORD}')"
HEAD = (
    "wrong labels", "of corrections", "on the wall's first page (by chance)", "put into service", "errors: MNIST test",
    "same hand", "straight", "ones read as 7", "run, s",
)  # fmt: skip


class Judged(NamedTuple):
    """Misread drawings of a model."""

    same_hand: int
    straight: int
    ones_as_sevens: int


def send(stack: Stack, sent: Sequence[Sent]) -> dict[int, Sent]:
    """Send the corrections, each from its sender's address; return them by their IDs."""
    found = {}
    with ExitStack() as stay:
        sources = {one.sender: httpx.HTTPTransport(local_address=f"127.0.1.{1 + one.sender}") for one in sent}
        people = {
            sender: stay.enter_context(httpx.Client(base_url=stack.url, transport=source, timeout=30))
            for sender, source in sources.items()
        }
        for one in sent:
            answer = posted(people[one.sender], f"/api/corrections/?label={one.label}", one.png)
            assert answer["state"] == "pending", answer
            found[answer["id"]] = one
    return found


def posted(http: httpx.Client, url: str, png: bytes) -> dict[str, Any]:
    """Raises HTTPStatusError."""
    answer = http.post(url, content=png, headers={"Content-Type": "image/png"}).raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def reviewer(stack: Stack) -> Iterator[httpx.Client]:
    """Sign in to the admin as a superuser."""
    stack.manage("shell", "--verbosity", "0", "-c", CREATE)
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        http.get("/admin/login/")
        form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        assert http.post("/admin/login/?next=/admin/", data=form).status_code == 302
        http.headers["X-CSRFToken"] = http.cookies["csrftoken"]
        yield http


def first_page(http: httpx.Client) -> list[int]:
    """Return the IDs of the corrections on the wall's first page, likely mistakes first."""
    page = http.get(WALL).raise_for_status().text
    return [int(pk) for pk in re.findall(r'data-tile="(\d+)"', page)]


def accept_all(stack: Stack, http: httpx.Client, newest: int) -> None:
    """Accept all pending corrections unseen, up to the newest ID."""
    http.post(f"{WALL}decide/", data={"decision": "accept", "select_across": "1", "newest": newest})
    left = sum(stack.http.get("/api/corrections/summary/").json()["pending"].values())
    assert not left, f"{left} corrections are still pending"


def judge(stack: Stack, shown: Drawings, model: int | None = None) -> Judged:
    """Read the drawings that judge; with the model of this ID, as soon as the web process has loaded it."""
    probe = shown.straight[0].png
    if model:
        eventually(lambda: posted(stack.http, "/api/drawing/", probe)["model"] == model, 10, f"model {model}")

    def read(drawing: Drawing) -> int:
        return int(posted(stack.http, "/api/drawing/", drawing.png)["prediction"])

    with ThreadPoolExecutor(2) as pool:
        same_hand, straight = (list(pool.map(read, kind)) for kind in (shown.same_hand, shown.straight))
    pairs = [(one.digit, predicted) for one, predicted in zip(shown.straight, straight, strict=True)]
    return Judged(
        sum(one.digit != predicted for one, predicted in zip(shown.same_hand, same_hand, strict=True)),
        sum(digit != predicted for digit, predicted in pairs),
        pairs.count((1, 7)),
    )


def learn(stack: Stack, epochs: int | None) -> tuple[dict[str, Any], float]:
    """Let a run learn the accepted corrections; return it, and the seconds from the request to its end."""
    began = time.monotonic()
    run = stack.ended(stack.train(preset="adapt", activate=True, seed=SEED, epochs=epochs), 2 * PATIENCE_SECONDS)
    assert run["status"] == "completed", run
    return run, time.monotonic() - began


def overrule(http: httpx.Client, model: int) -> None:
    """Put a refused model into service, to measure what it would have cost."""
    http.post(f"/api/models/{model}/activate/", json={"reason": "measured by a benchmark"}).raise_for_status()


def misread_test_digits(stack: Stack, model: int) -> int:
    accuracy = stack.http.get(f"/api/models/{model}/").raise_for_status().json()["test_accuracy"]
    return round((1 - accuracy) * TEST_DIGITS)


def measure(scenario: Scenario, shown: Drawings, epochs: int | None) -> tuple[list[str], str]:
    """Return a scenario's row of the table, and why its model was refused, if it was."""
    sent = corrections(scenario, shown)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stay:
        stack = stay.enter_context(running(Path(folder), CORRECTIONS_REVIEWED="true"))
        http = stay.enter_context(reviewer(stack))
        before = judge(stack, shown)
        by_id = send(stack, sent)
        page = first_page(http)
        accept_all(stack, http, max(by_id))
        run, seconds = learn(stack, epochs)
        if not run["in_service"]:
            overrule(http, run["model"])
        after = judge(stack, shown, run["model"])
        errors = [misread_test_digits(stack, run[key]) for key in ("base", "model")]
    wrong, seen = sum(one.is_wrong for one in sent), sum(by_id[pk].is_wrong for pk in page)
    row = [
        scenario.title,
        f"{wrong} of {len(sent)}",
        f"{seen} ({len(page) * wrong / len(sent):.0f})",
        "yes" if run["in_service"] else "refused",
        *(f"{old} → {new}" for old, new in (errors, *zip(before, after, strict=True))),
        f"{seconds:.0f}",
    ]
    return row, run["not_activated"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--hand", choices=HANDS, default="slanted", help="of those who correct")
    parser.add_argument("--quick", action="store_true", help="fewer drawings and one epoch, to see that it works")
    task = parser.parse_args()
    others, shown = OtherLoad(), drawings(task.hand, *QUICK) if task.quick else drawings(task.hand)
    rows, refusals = [], []
    for scenario in (SCENARIOS[name] for name in task.scenario):
        say(scenario.title)
        row, refusal = measure(scenario, shown, 1 if task.quick else None)
        rows.append(row)
        refusals += [f"{scenario.title}: {refusal}"] if refusal else []
    print(f"{machine()}\n\n{len(shown.taught)} corrections in the hand '{task.hand}'.")
    print(f"Errors before → after, of a refused model too: {len(shown.same_hand)} drawings in the same hand,")
    print(f"{len(shown.straight)} straight ones.\n")
    print(table(HEAD, rows))
    print("\n".join(["Refused:", *refusals, ""] if refusals else ["No model was refused.\n"]))
    print(others.verdict())


if __name__ == "__main__":
    main()
