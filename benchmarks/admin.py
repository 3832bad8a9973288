"""The admin with a long history: queries and milliseconds of its pages, over 10,000 runs and 100,000 epochs.

In a database of its own that is thrown away, in process, without a server in between.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

RUNS, EPOCHS, TIMES = 10_000, 10, 9
PAGES = {
    "front page": "/admin/",
    "list of runs": "/admin/training/trainingrun/",
    "list, last page": f"/admin/training/trainingrun/?p={RUNS // 50}",
    "list, completed only": "/admin/training/trainingrun/?status__exact=completed",
    "list, by test accuracy": "/admin/training/trainingrun/?o=4",
    "list, one month": "/admin/training/trainingrun/?queued_at__month=3&queued_at__year=2026",
    "search for a number": "/admin/training/trainingrun/?q=4711",
    "search for an error": "/admin/training/trainingrun/?q=diverged",
    "one run": "/admin/training/trainingrun/4711/change/",
    "history in the API": "/api/runs/?ordering=-test_accuracy",
}


def fill() -> None:
    """Runs of all endings over a year, each with its epochs."""
    from django.utils import timezone

    from training.models import Epoch, Status, TrainingRun

    now = timezone.now()
    parameters = {
        "epochs": EPOCHS,
        "batch_size": 128,
        "learning_rate": 0.001,
        "samples": 60000,
        "seed": 1,
        "activate": False,
    }
    endings = [Status.COMPLETED, Status.COMPLETED, Status.INTERRUPTED, Status.ERROR]
    confusion = [[1000 if i == j else 1 for j in range(10)] for i in range(10)]
    runs = []
    for number in range(RUNS):
        status, at = endings[number % 4], now - timedelta(hours=(RUNS - number) * 0.85)
        done = status == Status.COMPLETED
        runs.append(
            TrainingRun(
                status=status,
                preset="original",
                parameters=parameters,
                queued_at=at,
                started_at=at + timedelta(seconds=3),
                finished_at=at + timedelta(seconds=40),
                test_accuracy=0.98 + number % 100 / 10_000 if done else None,
                confusion=confusion if done else None,
                error_code="diverged" if status == Status.ERROR else "",
            )
        )
    made = TrainingRun.objects.bulk_create(runs, batch_size=500)
    Epoch.objects.bulk_create(
        (
            Epoch(run=run, epoch=e, loss=1 / e, accuracy=1 - 0.1 / e, learning_rate=0.001, seconds=9.0)
            for run in made
            for e in range(1, EPOCHS + 1)
        ),
        batch_size=2000,
    )


def measure(client: Any, path: str) -> tuple[int, float]:
    """(queries, median milliseconds) of a page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200, path
    asked = len(queries)  # the next request forgets them
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(path)
        times.append(1000 * (time.perf_counter() - began))
    return asked, statistics.median(times)


def main() -> None:
    from benchmarks.preprocessing import processor

    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "digits_site.settings", "WATCHDOG": "false"}
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.test import Client

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("install_model", verbosity=0)
        fill()
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.create_superuser("admin"))
        size = (Path(folder) / "digits.sqlite3").stat().st_size / 1e6
        print(f"{processor()}; SQLite, {RUNS:,} runs, {RUNS * EPOCHS:,} epochs, {size:.0f} MB; median of {TIMES}\n")
        print("| page | queries | ms |\n| --- | ---: | ---: |")
        for name, path in PAGES.items():
            queries, milliseconds = measure(client, path)
            print(f"| {name} | {queries} | {milliseconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
