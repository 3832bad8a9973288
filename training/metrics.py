"""Metrics of training, read from the database and Redis at each scrape.

So every process of an installation reports the same, and a restart forgets nothing. Viewers are counted in live.feed.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from django.db import Error as AnyDatabaseError
from django.db import connections
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric
from redis.exceptions import RedisError

from recognition.models import Activation
from training.models import Status, TrainingRun
from training.worker import presence

TIMEOUT_SECONDS = 1.5  # for both sources together


def labelled_gauge(label: str, name: str, documentation: str, values: Mapping[str, float]) -> Metric:
    """Return a gauge with one value for each label value in `values`."""
    family = Gauge(name, documentation, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def from_database() -> list[Metric]:
    """Return metrics of the newest run, all runs, and the model in service. Raises the database's errors."""
    counts = dict.fromkeys(Status.values, 0) | dict(
        TrainingRun.objects.order_by().values_list("status").annotate(Count("pk"))
    )
    families = [labelled_gauge("status", "digits_runs", "Training runs in the database, by status.", counts)]
    run = TrainingRun.objects.only("status", "parameters", "heartbeat_at").newest()
    if run is not None:
        families += run_metrics(run)
    activation = Activation.current()
    if activation is not None:
        accuracy = activation.model.test_accuracy
        families += [
            Gauge("digits_model_version", "Number of the model in service.", activation.model_id),
            Gauge("digits_model_accuracy_ratio", "Test accuracy of the model in service, as a fraction.", accuracy),
        ]
    return families


def run_metrics(run: TrainingRun) -> Iterator[Metric]:
    """Yield the metrics of the active run, or of the last one."""
    states = {status: float(status == run.status) for status in Status.values}
    yield Gauge("digits_run_number", "Number of the active run, or of the last one.", run.pk)
    yield labelled_gauge("status", "digits_run_state", "1 for the status of this run, 0 for the others.", states)
    yield Gauge("digits_run_epochs_planned", "Epochs that this run will train.", run.parameters.get("epochs", 0))
    yield Gauge("digits_run_epochs_finished", "Epochs that this run has finished.", run.epochs.count())
    if run.status == Status.IN_PROGRESS and run.heartbeat_at is not None:
        age = max(0.0, (timezone.now() - run.heartbeat_at).total_seconds())
        sentence = "Seconds since the last heartbeat of the run in progress; absent without one."
        yield Gauge("digits_run_heartbeat_age_seconds", sentence, age)


def from_redis() -> list[Metric]:
    """Return metrics of the queue and the workers. Raises RedisError while Redis is away."""
    queued, workers = presence.health()
    return [
        Gauge("digits_queue_length", "Messages in the training queue.", queued),
        Gauge("digits_workers", "Workers seen in the last ten seconds.", len(workers)),
    ]


class SourceRead(threading.Thread):
    """Reads a source once, in a thread that a scrape can abandon when the source hangs."""

    def __init__(self, read: Callable[[], list[Metric]]) -> None:
        super().__init__(name=f"metrics-{read.__name__}", daemon=True)
        self.read = read
        self.families: list[Metric] | None = None

    def run(self) -> None:
        try:
            self.families = self.read()
        except (AnyDatabaseError, RedisError, OSError):
            pass  # `families` stays None
        finally:
            connections.close_all()  # this thread's


class TrainingCollector:
    """A Prometheus collector of `from_database` and `from_redis` that takes at most TIMEOUT_SECONDS and never fails.

    A source that does not answer has `digits_up 0` and no metrics. While a read hangs, no other one starts.
    """

    SOURCES = (("database", from_database), ("redis", from_redis))

    def __init__(self) -> None:
        self._reads: dict[str, SourceRead] = {}
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with self._lock:
            for name, source in self.SOURCES:
                if name not in self._reads or not self._reads[name].is_alive():
                    self._reads[name] = SourceRead(source)
                    self._reads[name].start()
            reads = dict(self._reads)
        up: dict[str, float] = {}
        for name, read in reads.items():
            read.join(max(0.0, deadline - time.monotonic()))
            families = read.families
            up[name] = float(families is not None)
            yield from families or ()
        yield labelled_gauge("source", "digits_up", "1 if the database, or Redis, answered this scrape, else 0.", up)


collector = TrainingCollector()
