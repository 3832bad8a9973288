"""The Celery application: `celery -A digits_site worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")

app = Celery("digits_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["training.worker", "digits_site.webhooks"])


@setup_logging.connect
def keep_djangos_logging(**_: Any) -> None:
    """Being connected is enough: Celery leaves logging alone, and LOG_LEVEL holds for the worker too."""


@worker_init.connect
def refuse_unsafe_start(**_: Any) -> None:
    """As the web does. Celery logs what a signal's handler raises and goes on, except for SystemExit."""
    from django.core.exceptions import ImproperlyConfigured

    from digits_site import checks

    try:
        checks.refuse_unsafe_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@worker_ready.connect
def start_threads(**_: Any) -> None:
    """Start what belongs to the queues of this worker: it executes runs, or it delivers webhooks.

    A worker of runs takes up those whose worker was lost, from the moment it can take them, and prepares for the first
    one.
    """
    from django.conf import settings

    from digits_site.webhooks import polling, tasks
    from training.worker import presence, watchdog
    from training.worker.spare import spare

    queues = app.amqp.queues.consume_from
    if tasks.QUEUE in queues:
        polling.start()
    if presence.QUEUE in queues:
        if settings.WATCHDOG:
            watchdog.start(is_worker=True)
        spare.start()


@worker_shutting_down.connect
def hand_back_the_run(**_: Any) -> None:
    """A worker that was asked to stop hands its run back instead of making the shutdown wait for it."""
    from training.worker import runner

    if not runner.SHUTDOWN.is_set():  # a second signal may arrive inside set(), whose lock it would wait for
        runner.SHUTDOWN.set()
