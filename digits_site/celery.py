"""The Celery application: `celery -A digits_site worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")

app = Celery("digits_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def start_watching(**_: Any) -> None:
    """Take up runs whose worker was lost, from the moment this worker can take them."""
    from digits_site.checks import refuse_unsafe_start
    from training import watchdog

    refuse_unsafe_start()
    watchdog.start(serves_queue=True)


@worker_shutting_down.connect
def hand_back_the_run(**_: Any) -> None:
    """A worker that was asked to stop hands its run back instead of making the shutdown wait for it."""
    from training import runner

    runner.SHUTDOWN.set()
