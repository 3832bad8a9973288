"""Switching the model while drawings come in: ``python -m benchmarks.switching``.

A steady 100 requests a second against daphne and against granian, while another of two versions is put into service
twice a second through the API. Counted: requests that failed, answers that name neither version or not the one that
gave them (the second is less sure of the same digits), and how long an answer still named the replaced version.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import httpx

from benchmarks.support import drawings
from benchmarks.support.common import cores, machine, percentile, say, table
from benchmarks.support.servers import SERVERS, prepared
from benchmarks.support.steady import Asked, Visitors
from tests.support.drawings import data_url
from tests.support.stack import Stack

# The same network under another name in the file: other bytes, so another version, and less sure of the same digits.
PUBLISH = """
import onnx
from io import BytesIO
from django.contrib.auth.models import User
from digits_site.accounts.models import AccessToken
from recognition import registry
from recognition.models import Activation
first = Activation.current().model
network = onnx.load(BytesIO(first.file.read()))
network.producer_name = "another version"
second = registry.publish(network.SerializeToString(), test_accuracy=first.test_accuracy,
    temperature=2 * first.temperature, uncertain_below=first.uncertain_below)
operator = User.objects.create_superuser("operator")
print("published", first.pk, second.pk, AccessToken.objects.create(operator, name="switching", scopes=["activate"])[1])
"""
HEAD = (
    "server", "requests", "failed", "naming neither version", "naming the wrong one", "switches",
    "old version named after a switch, most ms", "p50 / p99 ms",
)  # fmt: skip


class Switch(NamedTuple):
    asked: float
    confirmed: float
    old: int


def publish(stack: Stack) -> tuple[int, int, str]:
    """Two versions, the first one in service, and a token that may switch."""
    words = stack.manage("shell", "-c", PUBLISH).split()
    first, second, token = words[words.index("published") + 1 :][:3]
    return int(first), int(second), token


def switch(port: int, versions: tuple[int, int, str], seconds: float, every: float) -> list[Switch]:
    """Put the other version into service again and again. Raises HTTPStatusError where that is refused."""
    old, new, token = versions
    switches, until = [], time.monotonic() + seconds
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Token {token}"}) as client:
        while time.monotonic() < until:
            time.sleep(every)
            asked = time.monotonic()
            client.post(f"/api/models/{new}/activate/", json={}).raise_for_status()
            switches.append(Switch(asked, time.monotonic(), old))
            old, new = new, old
    return switches


def overdue(answers: Sequence[Asked], switches: Sequence[Switch]) -> float:
    """The most ms after a switch that a request was sent whose answer named the old version, up to the next switch."""
    late = [0.0]
    for one, following in zip(switches, [*switches[1:], None], strict=True):
        end = following.asked if following else float("inf")
        late += [a.sent - one.confirmed for a in answers if one.confirmed < a.sent < end and a.model == one.old]
    return 1000 * max(late)


def mislabelled(answers: Sequence[Asked]) -> int:
    """Answers whose confidence is not the one that the version they name has in that digit."""
    seen: dict[tuple[int, int | None], Counter[float | None]] = defaultdict(Counter)
    for answer in answers:
        seen[answer.digit, answer.model][answer.confidence] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in seen.items()}
    assert len({(digit, sure) for (digit, _), sure in usual.items()}) == len(usual), f"they are equally sure: {usual}"
    return sum(answer.confidence != usual[answer.digit, answer.model] for answer in answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each server")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two switches")
    task = parser.parse_args()
    print(f"{machine()}\n\n{task.rate:g} requests/s for {task.seconds:g} s, a switch every {task.every:g} s.\n")
    rows = []
    with prepared() as stack:
        versions = publish(stack)
        for server in (one for one in SERVERS.values() if one.is_product):
            say(server.title)
            first = data_url(drawings.colour_png(3))
            with server.running(stack.folder, stack.environment, cores()[0], first) as running:
                visitors = Visitors(running.port, task.rate)
                switches = switch(running.port, versions, task.seconds, task.every)
                asked = visitors.leave()
            right = [one for one in asked if one.status == 200]
            strange = sum(one.model not in versions[:2] for one in right)
            times = [1000 * (one.ended - one.due) for one in asked]
            counts = (len(asked), len(asked) - len(right), strange, mislabelled(right), len(switches))
            latency = f"{percentile(times, 0.5):.0f} / {percentile(times, 0.99):.0f}"
            rows.append([server.title, *map(str, counts), f"{overdue(right, switches):.0f}", latency])
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
