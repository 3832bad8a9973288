"""The parts of one request, each timed by itself, and their sum beside the whole request.

``python -m benchmarks._serving.stages`` in the product's environment. The whole request goes through the product's WSGI
application in process: all middleware, routing, DRF, no server and no socket. In each repetition the parts are done
once, one after the other as a request does them, then the whole request, then the request with its work taken out,
which tells what Django and DRF cost. The thread's CPU time, so that a busy machine changes little; medians; drawings
of ten digits in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest import mock

import numpy as np

from benchmarks._serving import drawings
from benchmarks._serving.kinds import KINDS, Kind
from benchmarks._serving.processes import ROOT, on
from benchmarks._serving.tables import table
from recognition.api import preparation
from recognition.imaging import decoding, flatten, ink, preprocessing

SINGLES = [kind for kind in KINDS.values() if kind.size == 1]
PARTS = {
    "parse JSON": "`json.loads`",
    "base64": "`decode_data_url`",
    "decode the picture": "`read_image`",
    "one channel": "`one_channel`",
    "find the ink": "`find_ink` without that",
    "scale to the field, pen's width": "`as_mnist`, `fit`",
    "centre": "`centre`",
    "network": "`Classifier.probabilities`",
    "Django, DRF, middleware": "the request with the above taken out",
}
FRAME = "Django, DRF, middleware"
Times = dict[str, list[float]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def measured(environment: Mapping[str, str], where: set[int], repetitions: int = 1000) -> str:
    """The table, from a process of its own on these cores."""
    command = [sys.executable, "-m", "benchmarks._serving.stages", "--repetitions", str(repetitions)]
    with on(where):
        return subprocess.run(
            command, cwd=ROOT, env=dict(environment), check=True, stdout=subprocess.PIPE, text=True
        ).stdout


class Watch:
    """CPU microseconds of this thread since it was last read, by the name of what was done."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.last = time.thread_time()

    def read(self, part: str) -> None:
        now = time.thread_time()
        self.times[part].append(1e6 * (now - self.last))
        self.last = time.thread_time()


def parts(body: bytes, probabilities: Callable[..., Any], times: Times) -> Any:
    """What a request does, each step timed; the digit as the network is given it."""
    watch = Watch(times)
    text = json.loads(body)["drawing"]
    watch.read("parse JSON")
    data = decoding.decode_data_url(text)
    watch.read("base64")
    image = decoding.read_image(data)
    watch.read("decode the picture")
    flatten.one_channel(image)
    watch.read("one channel")
    found = ink.find_ink(image)
    watch.read("find the ink")
    times["find the ink"][-1] -= times["one channel"][-1]
    digit = preprocessing.as_mnist(found)
    grid = preprocessing.fit(found) if digit is None else None
    watch.read("scale to the field, pen's width")
    if grid is not None:
        digit = preprocessing.centre(grid)
    watch.read("centre")
    probabilities(digit[None])
    watch.read("network")
    return digit


def post(application: Application, body: bytes) -> dict[str, Any]:
    """One request to the drawing's address in process; its answer. Raises AssertionError for any but 200."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/drawing/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_ACCEPT": "*/*",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    said: list[str] = []
    answer = application(environ, lambda status, headers, trouble=None: said.append(status))
    content = b"".join(answer)
    answer.close()
    assert said == ["200 OK"], (said, content)
    return dict(json.loads(content))


@contextmanager
def without_work(digit: Any, probabilities: Any) -> Iterator[list[mock.Mock]]:
    """Requests inside find their digit and their probabilities ready."""
    from recognition.classifier import Classifier

    with (
        mock.patch.object(preparation, "read_image") as decode,
        mock.patch.object(preparation, "prepare_image", return_value=digit) as prepare,
        mock.patch.object(Classifier, "probabilities", return_value=probabilities) as network,
    ):
        yield [decode, prepare, network]


def of_kind(kind: Kind, application: Application, repetitions: int) -> tuple[dict[str, float], float]:
    """(median microseconds of every part, of the whole request)."""
    from recognition import classifier

    network = classifier.in_service().probabilities
    bodies = [json.dumps({"drawing": kind.drawings(digit)[0]}).encode() for digit in drawings.DIGITS]
    times: Times = defaultdict(list)
    for body in bodies * max(repetitions // len(bodies), 1):
        digit = parts(body, network, times)
        watch = Watch(times)
        post(application, body)
        watch.read("whole")
        answer = network(digit[None])
        with without_work(digit, answer) as replaced:
            watch = Watch(times)
            post(application, body)
            watch.read(FRAME)
        assert all(one.call_count == 1 for one in replaced), (
            "the view does its work elsewhere: without_work is to follow"
        )
        times[FRAME][-1] -= times["parse JSON"][-1] + times["base64"][-1]
    check(bodies)
    medians = {part: statistics.median(taken) for part, taken in times.items()}
    return {part: medians[part] for part in PARTS}, medians["whole"]


def check(bodies: list[bytes]) -> None:
    """The parts must make what the product makes, or the table would time something else."""
    for body in bodies:
        whole = preprocessing.prepare(decoding.decode_data_url(json.loads(body)["drawing"]))
        assert np.array_equal(whole, parts(body, len, defaultdict(list))), "the product prepares in other steps"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    repetitions = parser.parse_args().repetitions
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
    from digits_site.wsgi import application

    found = [of_kind(kind, application, repetitions) for kind in SINGLES]
    print(f"The parts of a request in process, CPU microseconds, medians of {repetitions}:\n")
    rows = [[f"{part} ({what})", *(f"{medians[part]:.0f}" for medians, _ in found)] for part, what in PARTS.items()]
    rows.append(["**their sum**", *(f"{sum(medians.values()):.0f}" for medians, _ in found)])
    rows.append(["**the whole request**", *(f"{whole:.0f}" for _, whole in found)])
    print(table(["part", *(kind.title for kind in SINGLES)], rows))


if __name__ == "__main__":
    main()
