"""Many viewers of one process: all see every epoch once, readings are shared, and who does not read is cut."""

import asyncio
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from digits_site.web.limits.token_bucket import TOO_MANY_FRAMES
from tests.support.attackers import UPGRADE
from tests.support.memory import Weight
from tests.support.retries import first_good
from tests.support.runs import claimed_run
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually, running, streamed
from tests.support.viewers import crowd
from training.live import consumers
from training.live import feed as feeds
from training.live.events import GROUP, event
from training.models import TrainingRun
from training.serializers import represent

RUN = 2  # the first is the shipped model's
AHEAD = 20  # events; a viewer who falls behind by a hundred gets a snapshot instead


def seen_by_crowd(stack: Stack) -> dict[str, Any]:
    """What many viewers saw of a run of eight epochs, none of which ended before all of them watched.

    An event that is in transit for longer than DELIVERY_SECONDS, on a busy machine, is replaced by a snapshot.
    """
    with crowd(stack.port, sockets=150, streams=30) as viewers:
        stack.pause("worker")
        stack.train(samples=512, epochs=8)
        viewers.watch()
        stack.kill("worker", signal.SIGCONT)
        return viewers.seen()


@pytest.mark.stack
def test_every_one_of_many_viewers_sees_every_epoch_once_and_the_end(stack: Stack) -> None:
    seen = first_good(lambda: seen_by_crowd(stack), lambda seen: all(one["snapshots"] == 1 for one in seen["sockets"]))
    everybody = [*seen["sockets"], *seen["streams"]]
    assert len(everybody) == 180
    assert [viewer["epochs"] for viewer in everybody] == [list(range(1, 9))] * 180
    assert {viewer["ending"] for viewer in everybody} == {"completed"}
    assert {viewer["snapshots"] for viewer in seen["sockets"]} == {1}, "nobody missed anything on the way"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A web server that soon cuts who does not read, or says more than a ping now and then.

    With no worker, the run that was asked for stays queued.
    """
    limits = {"VIEWER_STALL_SECONDS": "2", "STREAM_FRAMES_PER_SECOND": "0"}
    with running(tmp_path_factory.mktemp("strict"), worker=False, **limits) as stack:
        assert stack.train() == RUN
        yield stack


@contextmanager
def deaf_clients(stack: Stack, number: int, request: bytes) -> Iterator[None]:
    """Clients that send a request, have hardly any room for the answer, and never read it. All of them are cut."""
    clients = [socket.socket() for _ in range(number)]
    for client in clients:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel makes some two kilobytes of it
        client.connect(("127.0.0.1", stack.port))
        client.sendall(request)
    eventually(lambda: held(stack, clients) == number, 10, "those who do not read")
    time.sleep(1)  # for their snapshots, after which they stand where the news begins
    yield
    eventually(lambda: held(stack, clients) == 0, 30, "the cut")
    assert "Traceback" not in stack.log("web")
    for client in clients:
        client.close()


def held(stack: Stack, clients: list[socket.socket]) -> int:
    """How many of these the web process still has."""
    ports = {client.getsockname()[1] for client in clients}
    connections = psutil.Process(stack.processes["web"].pid).net_connections("tcp")
    return sum(1 for one in connections if one.raddr and one.raddr.port in ports and one.status == "ESTABLISHED")


def publish(stack: Stack, events: Iterable[dict[str, Any]], read: Callable[[threading.Semaphore], None]) -> None:
    """Send events as a worker does while `read` reads them, each when there is room: never far ahead of it."""
    room = threading.Semaphore(AHEAD)
    reading = threading.Thread(target=read, args=[room])

    async def send() -> None:
        layer = RedisPubSubChannelLayer(hosts=[stack.environment["REDIS_URL"]], prefix="digits")
        for one in events:
            assert await asyncio.to_thread(room.acquire, timeout=60), "the viewer who reads was not served"
            await layer.group_send(GROUP, {"type": "training.event", "event": one})
        await layer.flush()

    reading.start()
    asyncio.run(send())
    reading.join(60)


@pytest.mark.stack
def test_sockets_that_are_not_read_are_cut_and_cost_little(strict: Stack) -> None:
    """What is sent would fill 400 MiB if the process kept it for them."""
    number, size = 512, 100 * 1024
    got: list[int] = []

    def read(room: threading.Semaphore) -> None:
        for _ in range(number):
            got.append(int(json.loads(reader.recv(60))["phase"].split()[0]))
            room.release()

    with connect(strict.ws_url, max_size=None) as reader:
        json.loads(reader.recv(10))
        weight = Weight(lambda: [psutil.Process(strict.processes["web"].pid)])
        with deaf_clients(strict, 8, UPGRADE):
            phases: Any = ({"type": "phase", "phase": f"{n} {'.' * size}"} for n in range(number))
            publish(strict, (event(phase, RUN, 1) for phase in phases), read)
            assert got == list(range(number)), "the one that reads missed nothing"
        assert weight.peak() - weight.seen[0] < 150, "megabytes"
        reader.send('{"type": "ping"}')
        assert json.loads(reader.recv(10)) == {"type": "pong"}


@pytest.mark.stack
def test_event_streams_that_are_not_read_are_cut(strict: Stack) -> None:
    numbers = list(range(1, 401))
    got: list[int] = []

    def read(room: threading.Semaphore) -> None:
        while got != numbers:
            number = next(messages).get("epoch")
            if number and got[-1:] != [number]:
                got.append(number)
                room.release()

    messages = streamed(strict.url)
    next(messages)
    figures = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0}
    with deaf_clients(strict, 4, b"GET /api/progress/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        publish(strict, (event({"type": "epoch", "epoch": n, **figures}, RUN, 1 + n) for n in numbers), read)
        assert got == numbers, "the one that reads saw each of them once"


@pytest.mark.stack
def test_a_client_that_may_send_nothing_may_still_ping(strict: Stack) -> None:
    with connect(strict.ws_url) as client:
        assert json.loads(client.recv())["type"] == "snapshot"
        for pause in (consumers.BURST_SECONDS + 0.2, 0):
            client.send('{"type": "ping"}')
            assert json.loads(client.recv(timeout=5)) == {"type": "pong"}
            time.sleep(pause)
        client.send('{"type": "ping"}')
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=5)
    assert client.close_code == TOO_MANY_FRAMES


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_viewers_who_join_at_once_share_readings_that_began_after_they_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes during the first reading is missing in it; those who came meanwhile must have it all the same."""
    run = claimed_run()
    readings, begun = [], threading.Event()

    def read(row: TrainingRun) -> dict[str, Any]:
        readings.append(row.pk)
        represented = represent(row)
        if len(readings) == 1:
            begun.set()
            eventually(lambda: REGISTRY.get_sample_value("digits_viewers") == 101, PATIENCE_SECONDS, "the others")
            TrainingRun.objects.filter(pk=row.pk).update(attempt=7)  # a change without a number of its own
        return represented

    async def first_message() -> dict[str, Any]:
        async with feeds.feed().join() as viewer:
            return await anext(aiter(viewer))

    async def watch() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        first = asyncio.create_task(first_message())
        await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        assert REGISTRY.get_sample_value("digits_viewers") == 1
        others = await asyncio.gather(*(first_message() for _ in range(100)))
        return await first, others

    monkeypatch.setattr("training.live.snapshots.represent", read)
    first, others = asyncio.run(watch())
    assert first["run"]["attempt"] == 1
    assert {message["run"]["attempt"] for message in others} == {7}
    assert len(readings) == 2, "one for the first, one for all others"
    assert run.pk == first["run"]["id"]


@pytest.mark.parametrize(("viewers", "a_second"), [(1, 10), (100, 10), (200, 5), (1200, 0.83), (10_000, 0.1)])
def test_batches_are_thinned_by_the_number_of_viewers_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, viewers: int, a_second: float
) -> None:
    now, throttle = 0.0, feeds.BatchThrottle()
    monkeypatch.setattr("training.live.feed.time", SimpleNamespace(monotonic=lambda: now))
    passed = 0
    for tenth in range(1000):
        now = tenth / 10 + 0.01 * (tenth % 3)  # a worker is never quite punctual
        passed += throttle.allows({"type": "batch"}, viewers)
        assert all(throttle.allows({"type": kind}, viewers) for kind in ("epoch", "phase", "completed", "position"))
    assert passed == pytest.approx(100 * a_second, rel=0.1, abs=2)
