"""Webhooks as they run: the web process and the worker of runs publish, a worker of its own delivers."""

import signal
from collections.abc import Iterator

import pytest
import redis

from tests.support.receiver import Receiver, hang, receiving, status
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually

pytestmark = pytest.mark.stack
FAST = {"WEBHOOK_RETRY_SECONDS": "0.003", "WEBHOOK_TIMEOUT_SECONDS": "2"}  # the sixth attempt is after three seconds
CODE = (
    "from digits_site.webhooks.models import *; print(list(WebhookDelivery.objects.values_list('status', 'attempts')))"
)


@pytest.fixture(scope="module")
def endpoint(shared_stack: Stack) -> Iterator[tuple[Receiver, str]]:
    """A receiver that is told of everything, its secret, and a worker that delivers."""
    shared_stack.launch_webhooks(**FAST)
    with receiving() as receiver:
        yield receiver, shared_stack.manage("create_webhook", receiver.url).strip()
    shared_stack.kill("webhooks")
    delete = "from digits_site.webhooks.models import *; WebhookEndpoint.objects.all().delete()"
    shared_stack.manage("shell", "-v0", "-c", delete)


@pytest.fixture(name="receiver")
def new_receiver(endpoint: tuple[Receiver, str]) -> Receiver:
    endpoint[0].received.clear()
    return endpoint[0]


@pytest.fixture
def secret(endpoint: tuple[Receiver, str]) -> str:
    return endpoint[1]


def correct(stack: Stack, label: int) -> int:
    """Send a correction; `label` makes it another one than the other tests'."""
    answer = stack.http.post("/api/corrections/", json={"pixels": [0] * 300 + [255] * 60 + [0] * 424, "label": label})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def test_a_receiver_that_fails_five_times_gets_one_event_in_six_attempts(
    stack: Stack, receiver: Receiver, secret: str
) -> None:
    receiver.answers = [status(500)] * 5
    ended = stack.ended(stack.train(preset="fast", epochs=1, samples=500, activate=False))
    eventually(lambda: len(receiver.received) == 6, PATIENCE_SECONDS, "six attempts")
    messages = [one.verified(secret) for one in receiver.received]
    assert all(message == messages[0] for message in messages)
    assert messages[0]["type"] == "run.completed"
    assert messages[0]["data"].items() <= ended.items(), "the API's words"
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len({one.headers["webhook-signature"] for one in receiver.received}) > 1, "signed at each attempt"
    log = eventually(lambda: "'delivered'" in (log := stack.manage("shell", "-v0", "-c", CODE)) and log, 60, "its row")
    assert log.strip() == "[('delivered', 6)]"
    workers = redis.Redis(port=stack.redis_port, decode_responses=True).zrange("digits:workers", 0, -1)
    pid = str(stack.processes["webhooks"].pid)
    assert not [name for name in workers if name.endswith(f":{pid}")], "it counts as no worker of runs"


def test_what_a_killed_worker_was_sending_is_sent_again(stack: Stack, receiver: Receiver, secret: str) -> None:
    receiver.answers = [hang]
    number = correct(stack, 1)
    eventually(lambda: receiver.received, PATIENCE_SECONDS, "the first attempt")
    stack.kill("webhooks")
    stack.launch_webhooks(**FAST)
    eventually(lambda: len(receiver.received) == 2, PATIENCE_SECONDS, "another attempt")
    one, two = (each.verified(secret) for each in receiver.received)
    assert one == two
    assert one["data"]["id"] == number


def test_an_event_while_redis_is_away_is_delivered_later_and_no_worker_ends_in_haste(
    stack: Stack, receiver: Receiver, secret: str
) -> None:
    stack.kill("redis")
    number = correct(stack, 2)
    stack.start_redis()
    eventually(lambda: receiver.received, PATIENCE_SECONDS, "the delivery")
    assert receiver.received[0].verified(secret)["data"]["id"] == number
    receiver.answers = [hang]
    correct(stack, 3)
    eventually(lambda: len(receiver.received) == 2, PATIENCE_SECONDS, "an attempt that hangs")
    stack.kill("webhooks", signal.SIGTERM)
    assert stack.processes["webhooks"].returncode == 0, "it waits for what it is sending, two seconds at most"
    stack.launch_webhooks(**FAST)
    eventually(lambda: len(receiver.received) == 3, PATIENCE_SECONDS, "the next attempt")
