"""The microseconds of one request, by stage and by whose they are: ``python -m benchmarks.stages``.

In process, from the WSGI environment to the bytes of the response, with all middleware: no socket. What a server adds
is the rest of its CPU time in benchmarks.serving. CPU time of the thread, medians, each stage without those inside it;
drawings of ten digits in turn. The clocks take about a microsecond a stage, so the sums are more than the whole.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.support.common import ROOT, machine, table

REQUESTS = 300
MODES = {"": {}, ", metrics shared by a folder": {"METRICS_DIR": "metrics"}}
GUARD, DJANGO, DRF, OURS, PIXELS = "our middleware", "Django", "DRF", "our view", "pixels"
WHOLE = "the whole, without clocks"
Times = dict[tuple[str, str], list[float]]
Stage = tuple[str, str, Any, str]  # whose it is, its name, and the owner and name of its function


def stages() -> Iterator[Stage]:
    """Yield the stages of a request. Needs Django to be set up."""
    yield from stages_of_middleware()
    yield from stages_of_frameworks()
    yield from stages_of_view()


def stages_of_middleware() -> Iterator[Stage]:
    from django.conf import settings
    from django.utils.module_loading import import_string

    from digits_site.web.middleware.lingering_close import LingeringClose

    yield GUARD, "LingeringClose", LingeringClose, "__call__"
    for path in settings.MIDDLEWARE:
        whose = GUARD if path.startswith("digits_site") else DJANGO
        yield whose, path.rpartition(".")[2], import_string(path), "__call__"


def stages_of_frameworks() -> Iterator[Stage]:
    from django.core.handlers.base import BaseHandler
    from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
    from django.dispatch import Signal
    from django.views.generic.base import View
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from recognition.api import views

    yield DJANGO, "handler", WSGIHandler, "__call__"
    yield DJANGO, "request", WSGIRequest, "__init__"
    yield DJANGO, "signals", Signal, "send"
    yield DJANGO, "URL", BaseHandler, "resolve_request"
    yield DJANGO, "around the view", BaseHandler, "_get_response"
    yield DRF, "view", APIView, "dispatch"
    yield DRF, "setup", View, "setup"
    yield DRF, "request", APIView, "initialize_request"
    yield DRF, "negotiation, throttles", views.OpenView, "initial"
    yield DRF, "response", Response, "__init__"
    yield DRF, "response's headers", APIView, "finalize_response"
    yield DRF, "rendering JSON", Response, "render"


def stages_of_view() -> Iterator[Stage]:
    from digits_site.web.parsers import StrictJSONParser
    from recognition.api import views
    from recognition.api.answers import predictors
    from recognition.api.parsing import drawings
    from recognition.imaging import EncodedImage
    from recognition.prediction.classifier import Classifier

    yield OURS, "parsing JSON", StrictJSONParser, "parse"
    yield OURS, "finding the drawing", views, "drawing_from"
    yield OURS, "base64", drawings, "decode_data_url"
    yield OURS, "slot, metrics of pixels", views, "prepare"
    yield OURS, "model", views, "model_from"
    yield OURS, "answer, statistics", views, "predict_one"
    yield PIXELS, "decoding", EncodedImage, "decode"
    yield PIXELS, "preparing", predictors, "find_candidates"
    yield PIXELS, "network", Classifier, "probabilities"
    yield PIXELS, "choosing", predictors, "predict_candidates"


class Clocks:
    """Measures each stage without the stages inside it."""

    def __init__(self) -> None:
        self.times: Times = defaultdict(list)
        self.running = False
        self._inside: list[float] = []  # seconds of the stages inside each open one

    def wrap(self, whose: str, stage: str, owner: Any, name: str) -> None:
        function, taken = getattr(owner, name), self.times[whose, stage]

        def measured(*values: Any, **named: Any) -> Any:
            if not self.running:
                return function(*values, **named)
            self._inside.append(0.0)
            began = time.thread_time()
            try:
                return function(*values, **named)
            finally:
                seconds = time.thread_time() - began
                taken.append(seconds - self._inside.pop())
                if self._inside:
                    self._inside[-1] += seconds

        setattr(owner, name, measured)


def environ(body: bytes) -> dict[str, Any]:
    """Return what granian makes of a request, the process's own environment included."""
    given = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/drawing/", "QUERY_STRING": "", "SCRIPT_NAME": ""}
    given |= {
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
    }
    given |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1"}
    wsgi = {"input": io.BytesIO(body), "url_scheme": "http", "input_terminated": True, "errors": sys.stderr}
    return {**os.environ, **given, **{f"wsgi.{name}": value for name, value in wsgi.items()}}


def measure() -> None:
    """Print the medians for each kind of drawing as JSON; run in a process of its own for each mode."""
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.serving import KINDS

    for command in ("migrate", "install_model"):
        call_command(command, verbosity=0)
    clocks = Clocks()
    for stage in stages():
        clocks.wrap(*stage)
    from digits_site.wsgi import application  # after the clocks: a handler holds its methods from its start

    kinds = {
        kind.title: [body_of(kind.drawings(digit)) for digit in range(10)] for kind in KINDS.values() if kind.size == 1
    }
    whole = {title: ask(application, bodies) for title, bodies in kinds.items()}
    clocks.running = True
    medians: dict[str, dict[str, float]] = {}
    for title, bodies in kinds.items():
        for taken in clocks.times.values():
            taken.clear()
        ask(application, bodies)
        # A stage of several calls, such as a signal, counts for all of them.
        medians[title] = {
            f"{whose}: {stage}": 1e6 * statistics.median(taken) * round(len(taken) / REQUESTS)
            for (whose, stage), taken in clocks.times.items()
            if taken
        } | {WHOLE: 1e6 * whole[title]}
    print(json.dumps(medians))


def body_of(drawings: list[str]) -> bytes:
    return json.dumps({"drawing": drawings[0]}).encode()


def ask(application: Any, bodies: list[bytes]) -> float:
    """Return the median seconds of a request."""
    taken = []
    for number in range(REQUESTS):
        request, answered = environ(bodies[number % 10]), []
        began = time.thread_time()
        b"".join(application(request, lambda status, headers, answered=answered: answered.append(status)))
        taken.append(time.thread_time() - began)
        assert answered == ["200 OK"], answered
    return statistics.median(taken)


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
        rows = [[name, *(f"{one.get(name, 0):.0f}" for one in medians.values())] for name in names]
        for whose in (GUARD, DJANGO, DRF, OURS, PIXELS):
            sums = [sum(us for name, us in one.items() if name.startswith(f"{whose}:")) for one in medians.values()]
            rows.append([f"**{whose}**", *(f"{us:.0f}" for us in sums)])
        print(table([f"CPU microseconds{mode}", *medians], rows))


if __name__ == "__main__":
    main()
