"""What a viewer, a supervisor and a cache do in moments that are too short to be hit from outside on purpose."""

import asyncio
import multiprocessing
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import caches

from recognition.models import Activation, ModelVersion
from tests.support.runs import claimed_run
from tests.support.stack import PATIENCE_SECONDS, eventually
from training.live import feed as feeds
from training.live.broadcast import RunProgress
from training.live.curve import MAX_POINTS, TimeLeft
from training.live.feed import feed
from training.live.snapshots import read_snapshot
from training.models import Status, TrainingRun
from training.serializers import represent
from training.worker.runner import config_of
from training.worker.supervisor import ChildStopped, Supervision


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_viewer_is_told_the_end_of_a_run_though_the_next_one_has_begun() -> None:
    """The final event is lost, and another run is the newest when the snapshot arrives."""

    async def watch() -> list[dict[str, Any]]:
        first = await sync_to_async(claimed_run)()
        async with feed().join() as viewer:
            news = aiter(viewer)
            messages = [await anext(news)]
            await sync_to_async(first.finish)(Status.ERROR, error_code="worker_lost")
            second = await sync_to_async(claimed_run)()
            viewer.push({"type": "position", "run": first.pk, "seq": first.seq})
            messages += [await asyncio.wait_for(anext(news), 5) for _ in range(2)]
            assert [m["run"]["id"] for m in messages] == [first.pk, first.pk, second.pk]
        return messages

    assert [m["run"]["status"] for m in asyncio.run(watch())] == ["in_progress", "error", "in_progress"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_epoch_that_ends_while_a_snapshot_is_read_is_in_it_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its viewers would be told of it twice: in the snapshot, and as the next event."""
    run = claimed_run()
    epoch = {"loss": 0.1, "accuracy": 0.9, "learning_rate": 0.001, "seconds": 1.0}
    numbers = iter((1, 2))

    def slowly(row: TrainingRun) -> dict[str, Any]:
        if number := next(numbers, None):
            run.add_epoch({"epoch": number, **epoch})
        return represent(TrainingRun.objects.with_account().get(pk=row.pk))

    monkeypatch.setattr("training.live.snapshots.represent", slowly)
    message = asyncio.run(read_snapshot())
    assert [e["epoch"] for e in message["run"]["epochs"]] == [1, 2]
    assert message["seq"] == run.seq == 4


def put_into_service(digest: str) -> int:
    model = ModelVersion.objects.create(file=f"{digest}.onnx", sha256=digest, size=1, test_accuracy=0.9)
    Activation.objects.create(model=model)
    return model.pk


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_viewer_is_told_once_of_a_model_that_another_process_put_into_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(feeds, "DELIVERY_SECONDS", 0.0)

    async def watch() -> None:
        first = await sync_to_async(put_into_service)("a" * 64)
        async with feed().join() as viewer:
            news = aiter(viewer)
            assert (await anext(news))["model"] == first
            second = await sync_to_async(put_into_service)("b" * 64)
            message = await asyncio.wait_for(anext(news), 10)
            assert (message["type"], message["model"]) == ("activated", second)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(news), 0.5)

    asyncio.run(watch())


def batch_report(epoch: int, step: int, steps: int = 200) -> Any:
    return {"type": "batch", "epoch": epoch, "step": step, "steps": steps, "loss": 1 / step, "accuracy": 0.5}


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_in_mid_run_has_the_curve_of_the_batches_until_redis_forgets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, now = claimed_run(), 0.0
    monkeypatch.setattr("training.live.broadcast.time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr("training.live.curve.time", SimpleNamespace(monotonic=lambda: now))
    written: list[list[dict[str, float]]] = []

    def write(key: str, value: list[dict[str, float]], timeout: int) -> None:
        written.append(value)
        caches["default"].set(key, value, timeout)

    monkeypatch.setattr("training.live.curve.cache", SimpleNamespace(get=caches["default"].get, set=write))
    with closing(RunProgress(run)) as progress:
        progress.begin_attempt(0)
        for epoch in (1, 2, 3):
            for step in range(1, 201):
                now += 0.11
                progress.batch(batch_report(epoch, step))
    assert len(written) <= now + 1, "at most once a second"
    points = asyncio.run(read_snapshot())["batches"]
    assert MAX_POINTS * 0.8 < len(points) <= MAX_POINTS
    assert points[0] == {"at": 0.005, "loss": 1.0, "accuracy": 0.5}
    assert [point["at"] for point in points] == sorted(point["at"] for point in points)
    resumed = RunProgress(run)  # by another worker
    resumed.begin_attempt(1)
    resumed.batch(batch_report(2, 5))
    resumed.close()
    points = asyncio.run(read_snapshot())["batches"]
    assert points[-1]["at"] == 1.025
    assert len(points) > MAX_POINTS / 4, "what came before is kept"
    caches["default"].clear()
    assert asyncio.run(read_snapshot())["batches"] == []


def test_the_time_left_follows_recent_epochs_or_the_batches_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now, left = 100.0, TimeLeft(max_epochs=3)
    monkeypatch.setattr("training.live.curve.time", SimpleNamespace(monotonic=lambda: now))
    assert left.seconds(batch_report(1, 20)) is None
    now += 2
    assert left.seconds(batch_report(1, 40)) == pytest.approx(2.8 * 20)
    left.epoch_seconds = [99.0, 10.0, 12.0, 14.0]
    assert left.seconds(batch_report(2, 100)) == pytest.approx(1.5 * 12)
    assert left.seconds(batch_report(3, 200)) == 0


@pytest.mark.django_db
def test_a_training_process_that_finished_before_the_word_to_stop_is_heard(tmp_path: Path) -> None:
    run = claimed_run()
    TrainingRun.objects.filter(pk=run.pk).update(stop_requested_at=run.started_at)
    parent_end, child_end = multiprocessing.Pipe()
    child_end.send({"type": "result", "test_accuracy": 0.99})
    child_end.close()
    progress: Any = SimpleNamespace(run=run)
    with pytest.raises(ChildStopped):
        Supervision(config_of(run, tmp_path), parent_end, progress, threading.Event()).follow()


def test_caches_of_many_requests_share_their_connections() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        before = len(client.client_list())
        for _ in range(20):
            thread = threading.Thread(target=lambda: [caches[alias].get("nothing") for alias in caches])
            thread.start()
            thread.join()
        assert len(client.client_list()) <= before + len(settings.CACHES)


@pytest.mark.stack
def test_what_another_run_left_behind_is_cleared(stack: Any) -> None:
    leftover = Path(stack.folder) / "runs" / "0"
    leftover.mkdir(parents=True)
    (leftover / "draft.keras").write_bytes(b"of a run that a web process ended")
    stack.ended(stack.train(samples=64, epochs=1))
    eventually(lambda: not list(leftover.parent.iterdir()), PATIENCE_SECONDS, "an empty folder of runs")
