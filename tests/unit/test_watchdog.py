"""What a watchdog makes of an active run, on a clock of the test's own."""

from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone

from tests.support.runs import PARAMETERS, claimed_run
from training.errors import LostClaim
from training.models import MAX_ATTEMPTS, Status, TrainingRun
from training.worker import queue, runner, watchdog
from training.worker.supervisor import ChildLost
from training.worker.watchdog import FIRST_POLL_SECONDS, GIVEN_UP_SECONDS, LOST_SECONDS, UNCLAIMED_SECONDS, Watchdog

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_the_times_that_are_promised() -> None:
    """README and docs name them. They are in proportion to RUN_LOST_SECONDS, which tests of processes shorten."""
    assert (LOST_SECONDS, GIVEN_UP_SECONDS, UNCLAIMED_SECONDS, FIRST_POLL_SECONDS) == (15, 26, 9, 12)
    assert (watchdog.POLL_SECONDS, watchdog.RESEND_SECONDS) == (2, 5)


@pytest.fixture
def run() -> TrainingRun:
    """Claimed a moment ago by some worker."""
    return claimed_run()


def status_after(run: TrainingRun, *looks: float, dog: Watchdog | None = None, **values: object) -> str:
    """The status after looks at these seconds; `values` are the row's when the first one comes."""
    TrainingRun.objects.filter(pk=run.pk).update(**values)
    dog = dog or Watchdog(is_worker=False)
    for second in looks:
        dog.poll(second)
    run.refresh_from_db()
    return run.status


def test_a_silent_run_is_handed_back_and_given_up_when_nobody_takes_it(run: TrainingRun) -> None:
    dog, looks = Watchdog(is_worker=False), [float(second) for second in range(0, 40, 2)]
    seen = [status_after(run, now, dog=dog) for now in looks]
    released, ended = looks[seen.index("queued")], looks[seen.index("error")]
    assert LOST_SECONDS <= released <= LOST_SECONDS + 2
    assert released + UNCLAIMED_SECONDS <= ended <= 30
    assert run.error_code == "worker_lost"


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_jumps_loses_no_run(run: TrainingRun, jump: timedelta) -> None:
    """The worker beats on; what its beats say of the time does not matter."""
    dog = Watchdog(is_worker=False)
    for now in range(0, 60, 2):
        beat = timezone.now() + (jump if now > 20 else timedelta()) + timedelta(seconds=now)
        assert status_after(run, float(now), dog=dog, heartbeat_at=beat) == Status.IN_PROGRESS


def test_a_database_that_cannot_be_asked_is_no_silent_worker(run: TrainingRun) -> None:
    dog = Watchdog(is_worker=False)
    dog.poll(0.0)
    dog.reset()
    assert status_after(run, 60.0, dog=dog) == Status.IN_PROGRESS
    assert status_after(run, 60.0 + LOST_SECONDS, dog=dog) == Status.QUEUED


def test_a_watchdog_outlives_an_error_that_nobody_foresaw(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def sleep(_: float) -> None:
        if len(caplog.records) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(watchdog, "close_old_connections", lambda: None)
    monkeypatch.setattr(Watchdog, "poll", lambda *_: 1 / 0)
    monkeypatch.setattr(watchdog.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watchdog.watch(Watchdog(is_worker=False))
    assert "ZeroDivisionError" in caplog.text


def test_a_release_that_came_late_leaves_time_to_take_the_run(run: TrainingRun) -> None:
    dog, late = Watchdog(is_worker=False), 2 * GIVEN_UP_SECONDS
    assert status_after(run, 0.0, late, dog=dog) == Status.QUEUED
    assert status_after(run, late + 2, dog=dog) == Status.QUEUED
    assert status_after(run, late + UNCLAIMED_SECONDS, dog=dog) == Status.ERROR


def test_a_new_process_believes_part_of_an_old_heartbeats_age(run: TrainingRun) -> None:
    """Else web processes that are restarted again and again would keep a lost run alive."""
    dog, old = Watchdog(is_worker=False), timezone.now() - timedelta(minutes=5)
    assert status_after(run, 0.0, dog=dog, heartbeat_at=old) == Status.IN_PROGRESS, "one look proves nothing"
    assert status_after(run, LOST_SECONDS - FIRST_POLL_SECONDS + 1, dog=dog) == Status.QUEUED


def test_a_run_that_was_to_be_stopped_is_interrupted_when_its_worker_is_lost(run: TrainingRun) -> None:
    assert status_after(run, 0.0, LOST_SECONDS, stop_requested_at=timezone.now()) == Status.INTERRUPTED


def test_the_last_attempt_that_is_lost_ends_the_run(run: TrainingRun) -> None:
    assert status_after(run, 0.0, LOST_SECONDS, attempt=MAX_ATTEMPTS) == Status.ERROR
    assert run.error_code == "worker_lost"


def test_a_worker_that_shuts_down_hands_any_attempt_back(run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run outlives many deployments. The next loss ends it."""
    shutdowns, shutdown = [True, False], Event()

    def supervise(*_: object) -> None:
        if shutdowns.pop(0):
            shutdown.set()
        raise ChildLost

    monkeypatch.setattr(runner, "supervise", supervise)
    monkeypatch.setattr(runner, "SHUTDOWN", shutdown)
    TrainingRun.objects.update(status=Status.QUEUED, attempt=MAX_ATTEMPTS)
    for status in (Status.QUEUED, Status.ERROR):
        shutdown.clear()
        runner.execute(run.pk)
        run.refresh_from_db()
        assert run.status == status
    assert (run.error_code, run.attempt) == ("worker_lost", MAX_ATTEMPTS + 2)


def test_a_worker_sends_itself_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message may have been lost with Redis; a second one finds nothing to claim."""
    waiting = TrainingRun.objects.create(preset="original", parameters=PARAMETERS)
    sent: list[TrainingRun] = []
    monkeypatch.setattr(queue, "send", sent.append)
    status_after(waiting, *range(0, 12, 2), dog=Watchdog(is_worker=True))
    assert len(sent) == 2


def test_an_attempt_that_was_taken_for_dead_writes_nothing(run: TrainingRun) -> None:
    next_attempt = TrainingRun.objects.get(pk=run.pk)
    assert next_attempt.requeue_or_end()
    assert next_attempt.claim("another worker")
    before = TrainingRun.objects.values().get(pk=run.pk)
    epoch = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.001, "seconds": 1.0}
    for write in (lambda: run.beat(1.0), lambda: run.add_epoch(epoch), lambda: run.finish(Status.INTERRUPTED)):
        with pytest.raises(LostClaim):
            write()
    assert TrainingRun.objects.values().get(pk=run.pk) == before
    assert not run.epochs.exists()
