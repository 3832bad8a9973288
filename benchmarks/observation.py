"""python -m benchmarks.observation: what measuring and logging add to a POST of a drawing, in each of their modes.

One process, no server: requests with and without RequestIDMiddleware and the marks in the view, in turn. CPU time;
the lower decile of each, since what else the machine does only ever adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REQUESTS = 2000
MODES = {
    "counted in the process": {},
    "shared by a folder": {"METRICS_DIR": "metrics"},
    "shared by a folder, access log in JSON": {"METRICS_DIR": "metrics", "LOG_FORMAT": "json"},
}


def compare() -> None:
    """In a process of its own mode: print microseconds with and without."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management import call_command
    from django.test import RequestFactory

    from recognition import metrics
    from tests.support.drawings import draw, encode

    call_command("migrate", verbosity=0)
    call_command("install_model", verbosity=0)

    class Unmeasured:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    marks = {True: (metrics.stage, metrics.answered), False: (Unmeasured, lambda _: None)}
    handlers = {}
    for measured in (True, False):
        chosen = [name for name in settings.MIDDLEWARE if measured or "RequestID" not in name]
        settings.MIDDLEWARE, kept = chosen, settings.MIDDLEWARE
        handlers[measured] = WSGIHandler()
        settings.MIDDLEWARE = kept
    picture = encode(draw(7, 28))
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(REQUESTS):
        for measured, handler in handlers.items():
            metrics.stage, metrics.answered = marks[measured]  # type: ignore[misc, assignment]
            request = RequestFactory(HTTP_HOST="localhost").post("/api/drawing/", picture, content_type="image/png")
            began = time.thread_time()
            answer = handler.get_response(request)
            times[measured].append(time.thread_time() - began)
            assert answer.status_code == 200, answer.content
    with_it, without = (sorted(times[measured])[REQUESTS // 10] * 1e6 for measured in (True, False))
    print(f"{with_it:7.0f} {without:7.0f} {with_it - without:7.0f}")


def main() -> None:
    from benchmarks._ways.machine import described

    print(described())
    print(f"{'microseconds of a POST, 28x28 PNG':40} {'with':>7} {'without':>7} {'added':>7}")
    for name, more in MODES.items():
        with tempfile.TemporaryDirectory() as folder:
            environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "digits_site.settings",
                "DATA_DIR": folder,
                "DATABASE_URL": f"sqlite:///{folder}/digits.sqlite3",
                **{name: str(Path(folder) / value) if name == "METRICS_DIR" else value for name, value in more.items()},
            }
            command = [sys.executable, "-c", "from benchmarks.observation import compare; compare()"]
            found = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
            )
        print(f"{name:40} {found.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    main()
