"""The admin with a long history: ``python -m benchmarks.admin``.

Queries and milliseconds of its pages over 10,000 runs and 100,000 epochs, in a database that is thrown away, in
process, without a server.
"""

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.support.common import machine, percentile, table

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
    "search for two words": "/admin/training/trainingrun/?q=a+visitor+completed",
    "one run": "/admin/training/trainingrun/4711/change/",
    "history in the API": "/api/runs/?ordering=-test_accuracy",
}
PARAMETERS = {
    "epochs": EPOCHS, "batch_size": 128, "learning_rate": 0.001, "samples": 60000, "seed": 1, "activate": False,
}  # fmt: skip


def fill() -> None:
    """Runs of all endings over a year, each with its epochs."""
    from django.utils import timezone

    from training.models import Epoch, TrainingRun

    now, runs = timezone.now(), []
    for number in range(RUNS):
        status = ("completed", "completed", "interrupted", "error")[number % 4]
        at = now - timedelta(hours=(RUNS - number) * 0.85)
        run = TrainingRun(status=status, preset="original", parameters=PARAMETERS, queued_at=at, started_at=at)
        run.finished_at = at + timedelta(seconds=40)
        if status == "completed":
            run.test_accuracy, run.confusion = 0.98 + number % 100 / 10_000, [[100] * 10] * 10
        run.error_code = "diverged" if status == "error" else ""
        runs.append(run)
    epochs = (
        Epoch(run=run, epoch=e, loss=1 / e, accuracy=1 - 0.1 / e, learning_rate=0.001, seconds=9.0)
        for run in TrainingRun.objects.bulk_create(runs, batch_size=500)
        for e in range(1, EPOCHS + 1)
    )
    Epoch.objects.bulk_create(epochs, batch_size=2000)


def measure(client: Any, path: str) -> tuple[int, float]:
    """(queries, median milliseconds) of a page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200, path
    asked, times = len(queries), []  # the next request forgets them
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(path)
        times.append(1000 * (time.perf_counter() - began))
    return asked, percentile(times, 0.5)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "digits_site.settings", "WATCHDOG": "false"}
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.test import Client

        for command, options in (("migrate", {}), ("collectstatic", {"interactive": False}), ("install_model", {})):
            call_command(command, verbosity=0, **options)
        fill()
        client = Client(HTTP_HOST="localhost")
        client.force_login(User.objects.create_superuser("admin"))
        size = (Path(folder) / "digits.sqlite3").stat().st_size / 1e6
        print(f"{machine()}\nSQLite, {RUNS:,} runs, {RUNS * EPOCHS:,} epochs, {size:.0f} MB; median of {TIMES}\n")
        found = {name: measure(client, path) for name, path in PAGES.items()}
        print(table(["page", "queries", "ms"], [[name, str(q), f"{ms:.0f}"] for name, (q, ms) in found.items()]))


if __name__ == "__main__":
    main()
