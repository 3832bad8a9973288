"""The parts of one request, and what measuring and logging add to it: ``python -m benchmarks.stages``.

In process, through Django's WSGI handler with all middleware: no server and no socket. CPU microseconds of the thread,
medians; drawings of ten digits in turn.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from itertools import product
from typing import Any
from unittest import mock

from benchmarks.common import ROOT, machine, table

REQUESTS = 1000
MODES = {"": {}, ", metrics shared by a folder": {"METRICS_DIR": "metrics"}}
WHOLE, UNMEASURED = "the whole request", "the whole, not measured and not logged"


def measure() -> None:
    """Print the medians for each kind of drawing as JSON; run in a process of its own for each mode."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command
    from django.test import RequestFactory

    from benchmarks.serving import KINDS
    from recognition.api import predictors
    from recognition.classifier import Classifier
    from recognition.imaging import EncodedImage

    for command in ("migrate", "install_model"):
        call_command(command, verbosity=0)
    handlers = {WHOLE: WSGIHandler()}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "observability" not in name]
    handlers[UNMEASURED] = WSGIHandler()

    parts = ((EncodedImage, "decode"), (predictors, "find_candidates"), (Classifier, "probabilities"))
    post, medians = RequestFactory(HTTP_HOST="localhost").post, {}
    for kind in (one for one in KINDS.values() if one.size == 1):
        times: dict[str, list[float]] = defaultdict(list)
        bodies = [{"drawing": kind.drawings(digit)[0]} for digit in range(10)]
        for number, (name, handler) in product(range(REQUESTS), handlers.items()):
            request = post("/api/drawing/", bodies[number % 10], content_type="application/json")
            with ExitStack() as stack:
                by_parts = name == WHOLE and number % 2
                for owner, part in parts if by_parts else ():
                    stack.enter_context(mock.patch.object(owner, part, timed(getattr(owner, part), times[part])))
                answer = timed(handler.get_response, [] if by_parts else times[name])(request)
            assert answer.status_code == 200, answer.content
        medians[kind.title] = {name: 1e6 * statistics.median(taken) for name, taken in times.items()}
    print(json.dumps(medians))


def timed(function: Any, into: list[float]) -> Any:
    def call(*values: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*values)
        finally:
            into.append(time.thread_time() - began)

    return call


def main() -> None:
    print(f"{machine()}\n")
    for mode, more in MODES.items():
        with tempfile.TemporaryDirectory() as folder:
            environment = os.environ | {name: f"{folder}/{value}" for name, value in more.items()}
            environment |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "digits_site.settings"}
            environment["DATABASE_URL"] = f"sqlite:///{folder}/digits.sqlite3"
            command = [sys.executable, "-c", "from benchmarks.stages import measure; measure()"]
            found = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        medians = json.loads(found.stdout.splitlines()[-1])
        names = next(iter(medians.values()))
        rows = [[name, *(f"{one[name]:.0f}" for one in medians.values())] for name in names]
        print(table([f"CPU microseconds{mode}", *medians], rows))


if __name__ == "__main__":
    main()
