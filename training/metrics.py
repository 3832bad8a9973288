"""What training is measured by: read from the database and from Redis when somebody asks, kept by no process.

So every process of an installation tells the same, whichever is asked, and a restart forgets nothing. The viewers are
the exception: each process knows its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from django.db import Error as AnyDatabaseError
from django.db import connections
from django.db.models import Count
from django.utils import timezone
from prometheus_client import Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.exceptions import RedisError

from recognition.models import Activation
from training.live.feed import viewer_count
from training.models import Status, TrainingRun
from training.worker import heartbeat

PATIENCE_SECONDS = 1.5  # for both sources together
SAMPLE_SECONDS = 1.0

viewers = Gauge(
    "digits_viewers",
    "WebSockets and event streams that are following training.",
    multiprocess_mode="livesum",
)


def gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def by(label: str, name: str, text: str, values: Mapping[str, float]) -> Metric:
    """One gauge with a value for each of `values`' keys."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def from_database() -> list[Metric]:
    """The newest run, all runs, and the model in service. Raises a database error while it is away."""
    found = dict.fromkeys(Status.values, 0) | dict(
        TrainingRun.objects.order_by().values_list("status").annotate(Count("pk"))
    )
    families = [by("status", "digits_runs", "Training runs in the database, by status.", found)]
    run = TrainingRun.objects.only("status", "parameters", "heartbeat_at").newest()
    if run is not None:
        families += of_run(run)
    activation = Activation.current()
    if activation is not None:
        model = activation.model
        families += [
            gauge("digits_model_version", "Number of the model in service.", model.pk),
            gauge(
                "digits_model_accuracy_ratio",
                "Fraction of MNIST's test digits that the model in service reads correctly.",
                model.test_accuracy,
            ),
        ]
    return families


def of_run(run: TrainingRun) -> Iterator[Metric]:
    """Of the active run, else of the last one."""
    states = {status: float(status == run.status) for status in Status.values}
    yield gauge("digits_run_number", "Number of the active run, else of the last one.", run.pk)
    yield by("status", "digits_run_state", "1 for the status that this run is in, 0 for the others.", states)
    yield gauge("digits_run_epochs_planned", "Epochs that this run is to train.", run.parameters.get("epochs", 0))
    yield gauge("digits_run_epochs_finished", "Epochs that this run has finished.", run.epochs.count())
    if run.status == Status.IN_PROGRESS and run.heartbeat_at is not None:
        age = (timezone.now() - run.heartbeat_at).total_seconds()
        yield gauge(
            "digits_run_heartbeat_age_seconds",
            "Seconds since the worker of the run in progress last wrote; absent while none is in progress.",
            max(0.0, age),
        )


def from_redis() -> list[Metric]:
    """The queue and who serves it. Raises RedisError while Redis is away."""
    health = heartbeat.health()
    return [
        gauge("digits_queue_length", "Runs' messages that wait for a worker.", health.queued),
        gauge("digits_workers", "Workers that gave a sign of life in the last ten seconds.", len(health.workers)),
    ]


class Reading(threading.Thread):
    """One look at a source, in a thread that whoever asks can leave to itself when the source hangs."""

    def __init__(self, read: Callable[[], list[Metric]]) -> None:
        super().__init__(name=f"metrics-{read.__name__}", daemon=True)
        self.read = read
        self.families: list[Metric] | None = None

    def run(self) -> None:
        try:
            self.families = self.read()
        except (AnyDatabaseError, RedisError, OSError):
            pass  # `families` stays None, which is what there is to say
        finally:
            connections.close_all()  # this thread's


class TrainingCollector:
    """For a Prometheus registry: what `from_database` and `from_redis` read, within PATIENCE_SECONDS, never an error.

    A source that does not answer is `digits_up 0` and its metrics are absent. While a look hangs no other is begun.
    """

    SOURCES = (("database", from_database), ("redis", from_redis))

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        readings = {name: self.reading(name, read) for name, read in self.SOURCES}
        up: dict[str, float] = {}
        for name, reading in readings.items():
            reading.join(max(0.0, deadline - time.monotonic()))
            families = reading.families
            up[name] = float(families is not None)
            yield from families or ()
        yield by("of", "digits_up", "1 when the database, or Redis, answered this reading, else 0.", up)

    def reading(self, name: str, read: Callable[[], list[Metric]]) -> Reading:
        """A look that has begun: the one that still hangs, else a new one."""
        with self._lock:
            reading = self._readings.get(name)
            if reading is None or not reading.is_alive():
                reading = self._readings[name] = Reading(read)
                reading.start()
            return reading


collector = TrainingCollector()


def follow_viewers(shared: bool) -> threading.Thread | None:
    """Let `digits_viewers` tell of this process's viewers.

    A process that is asked looks itself. Where several share their metrics (`shared`), another may be asked for this
    one's, so it writes them down every second.
    """
    if not shared:
        viewers.set_function(viewer_count)
        return None
    thread = threading.Thread(target=sample_viewers, name="metrics-viewers", daemon=True)
    thread.start()
    return thread


def sample_viewers() -> None:
    while True:
        viewers.set(viewer_count())
        time.sleep(SAMPLE_SECONDS)
