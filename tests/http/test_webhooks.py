"""One attempt of a delivery after the other: what is sent, what is refused, and what an endpoint's answers lead to."""

import json
import logging
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from digits_site.webhooks import polling, sending
from digits_site.webhooks.delivering import STEPS, claim, record
from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.publishing import publish, resend, send_test
from digits_site.webhooks.slots import slot
from recognition.models import NO_DIGIT
from tests.support.corrections import new_correction
from tests.support.receiver import Receiver, drip, hang, one_transaction, receiver_of_a_test, receiving, status  # noqa: F401
from tests.support.runs import claimed_run, make_run
from tests.support.webhooks import attempted, made, published
from training.models import Status

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("one_transaction")]


# --- What is told ---


def test_an_endpoint_is_told_of_its_events_in_messages_that_the_conventions_library_accepts(receiver) -> None:
    endpoint, secret = made(f"{receiver.url}?key=1", "run.error", "correction.created")
    run = claimed_run()
    run.finish(Status.ERROR, error_code="no_space", error="The disk is full.")
    correction = new_correction(NO_DIGIT)
    new_correction(NO_DIGIT)  # the same again
    make_run(Status.COMPLETED)  # a row of an import: nothing has ended
    for delivery in endpoint.deliveries.order_by("pk"):
        assert attempted(delivery).status == "delivered"
    first, second = (one.verified(secret) for one in receiver.received)
    assert first["type"] == "run.error"
    told = {"id": run.pk, "status": "error", "error_code": "no_space", "error": "The disk is full.", "model": None}
    assert told.items() <= first["data"].items()
    assert {"test_accuracy", "preset", "attempt", "queued_at", "started_at", "finished_at"} <= first["data"].keys()
    assert first["timestamp"].endswith("Z")
    assert second["type"] == "correction.created"
    expected = {
        "id": correction.pk,
        "label": None,
        "state": "accepted",
        "predicted": None,
        "source": "api",
        "model": None,
    }
    assert second["data"] == expected
    assert receiver.received[0].path == "/hook?key=1"
    assert receiver.received[0].headers["Host"] == f"127.0.0.1:{receiver.port}"


def test_a_change_that_is_rolled_back_or_of_no_interest_tells_nothing(receiver, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        publish("run.completed", {})
    made(receiver.url, "run.error")
    publish("run.completed", {})
    WebhookEndpoint.objects.update(enabled=False)
    publish("run.error", {})
    assert not WebhookDelivery.objects.exists()


def test_an_activation_and_a_rollback_are_told(shipped, receiver) -> None:
    from recognition import registry
    from tests.support.constant_models import constant_model

    endpoint, _ = made(receiver.url)
    registry.activate(registry.publish(constant_model(3), test_accuracy=0.5), via="admin")
    registry.roll_back(via="api")
    back, there = (json.loads(one.payload) for one in endpoint.deliveries.all())
    assert [there["type"], back["type"]] == ["model.activated"] * 2
    assert (there["data"]["test_accuracy"], there["data"]["via"], there["data"]["rollback"]) == (0.5, "admin", False)
    assert (back["data"]["via"], back["data"]["rollback"]) == ("api", True)


# --- Answers ---


@pytest.mark.parametrize(
    "answer", [status(302, Location="http://elsewhere.example/a-key\n forged"), status(500, b"down\x00"), drip, hang]
)
def test_a_bad_answer_is_recorded_and_repeated_with_the_same_id(receiver, settings, answer) -> None:
    never_ends = answer in {drip, hang}
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.3 if never_ends else 10
    endpoint, secret = made(receiver.url)
    receiver.answers = [answer]
    began, before = time.monotonic(), timezone.now()
    delivery = attempted(published(endpoint))
    after = timezone.now()
    assert time.monotonic() - began < 10
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    redirected = "Status 302. Redirects are not followed (to http://elsewhere.example)."
    refused = redirected if delivery.response_status == 302 else "Status 500."
    assert delivery.error == ("No answer within 0.3 s." if never_ends else refused)
    assert delivery.response_body in {"", "down\ufffd"}
    assert delivery.next_attempt_at is not None
    assert before + timedelta(seconds=5) <= delivery.next_attempt_at <= after + timedelta(seconds=6)
    settings.WEBHOOK_TIMEOUT_SECONDS = 10
    assert attempted(delivery).status == "delivered"
    one, two = receiver.received
    assert one.headers["webhook-id"] == two.headers["webhook-id"] == delivery.message_id
    assert one.body == two.body
    two.verified(secret)
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.last_success_at is not None) == (0, True)


@pytest.mark.parametrize("length", [b"-1", b"-5", b"+7", b"0x7", b"", b"f" * 2000, b"7fffffffffffffff"])
@pytest.mark.parametrize("code", [200, 500])
def test_a_body_of_impossible_chunks_is_neither_read_nor_repeated_for_ever(receiver, settings, code, length) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 10
    sent = 0

    def flood(handler: Any) -> None:
        nonlocal sent
        handler.wfile.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % (code, length))
        while True:
            sent += handler.wfile.write(b"x" * 100_000)

    endpoint, _ = made(receiver.url)
    receiver.answers = [flood]
    delivery = attempted(published(endpoint))
    assert delivery.status == ("delivered" if code == 200 else "pending")
    assert len(delivery.response_body) <= sending.KEPT_BYTES
    assert sent < 20_000_000, "what the kernels hold"


def test_chunks_are_read_as_one_body(receiver) -> None:
    def chunks(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.wfile.write(b"4;x=y\r\nOut \r\n8\r\nof order\r\n0\r\n\r\n")

    endpoint, _ = made(receiver.url)
    receiver.answers = [chunks]
    assert attempted(published(endpoint)).response_body == "Out of order"


def test_an_attempt_that_fails_here_is_recorded_and_one_that_never_ends_is_not_repeated(receiver, monkeypatch) -> None:
    endpoint, _ = made(receiver.url)
    delivery = published(endpoint)
    monkeypatch.setattr("digits_site.webhooks.delivering.post", lambda *_: 1 / 0)
    assert attempted(delivery).error == "The attempt failed in this service. Its log says why."
    WebhookDelivery.objects.update(attempts=len(STEPS) + 1)
    assert (attempted(delivery).status, delivery.attempts) == ("failed", len(STEPS) + 1)
    assert delivery.error == "The worker was lost during the last attempt."
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.failures) == (False, 2), "as after any last attempt that fails"


def test_an_endpoint_that_is_gone_is_disabled_at_once_and_says_so(receiver, caplog) -> None:
    endpoint, _ = made(f"{receiver.url}/a-key")
    receiver.answers = [status(410)]
    attempted(published(endpoint))
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "It answered 410 Gone.")
    assert any(record.levelno == logging.ERROR and "410" in record.message for record in caplog.records)
    assert "a-key" not in caplog.text
    out = StringIO()
    call_command("list_webhooks", stdout=out)
    assert "disabled: It answered 410 Gone." in out.getvalue()


def test_a_dead_endpoint_is_disabled_after_the_last_attempt_unless_it_accepted_something(receiver, caplog) -> None:
    endpoint, _ = made(receiver.url)
    receiver.usual = status(301, Location="/hook/a-key/")
    one, other = published(endpoint), published(endpoint)
    WebhookDelivery.objects.update(attempts=len(STEPS))
    WebhookEndpoint.objects.update(last_success_at=timezone.now())
    assert attempted(one).status == "failed"
    endpoint.refresh_from_db()
    assert endpoint.enabled, "one event that it cannot take is no reason"
    WebhookEndpoint.objects.update(last_success_at=timezone.now() - timedelta(days=3))
    assert attempted(other).status == "failed"
    endpoint.refresh_from_db()
    assert not endpoint.enabled
    assert endpoint.disabled_reason.startswith(f"All 11 attempts of {other} failed. The last: Status 301. Redirects")
    assert "a-key" not in caplog.text + endpoint.disabled_reason


def test_deliveries_of_a_disabled_endpoint_wait_and_a_test_goes_through_once(receiver) -> None:
    endpoint, _ = made(receiver.url)
    waiting = published(endpoint)
    WebhookEndpoint.objects.update(enabled=False)
    assert attempted(waiting).attempts == 0
    receiver.answers = [status(500)]
    test = attempted(send_test(endpoint))
    assert (test.status, test.error) == ("failed", "Status 500.")
    resend(test)
    assert attempted(test).status == "delivered"
    WebhookEndpoint.objects.update(enabled=True)
    assert attempted(waiting).status == "delivered"
    assert len(receiver.of_type("webhook.test")) == 2


def test_a_delivery_is_claimed_once_and_a_worker_that_was_late_overwrites_nothing(receiver) -> None:
    endpoint, _ = made(receiver.url)
    delivery = published(endpoint)
    late = claim(delivery.pk)
    assert late is not None
    assert claim(delivery.pk) is None
    receiver.usual = status(503)
    assert attempted(delivery).error == "Status 503."
    record(late, sending.Outcome(0.1, error="too late"))
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.error) == (2, "Status 503.")


def test_an_endpoint_that_hangs_holds_two_threads_at_most(receiver, monkeypatch) -> None:
    endpoint, _ = made(receiver.url)
    delivery, sent = published(endpoint), list[int]()
    monkeypatch.setattr(polling, "queue_length", lambda: 0)
    monkeypatch.setattr(polling, "enqueue", sent.extend)
    with slot(endpoint.pk), slot(endpoint.pk):
        polling.poll()
        assert sent == []
        assert attempted(delivery).attempts == 0
    polling.poll()
    assert sent == [delivery.pk]
    assert attempted(delivery).status == "delivered"


def test_the_poller_outlives_an_error_that_nobody_foresaw(monkeypatch, settings, caplog) -> None:
    def sleep(_: float) -> None:
        if len(polls) == 2:
            raise KeyboardInterrupt

    polls: list[int] = []
    settings.WEBHOOK_DAYS = 1_000_000  # which the checks refuse: before the year 1
    monkeypatch.setattr(polling, "close_old_connections", lambda: None)
    monkeypatch.setattr(polling, "poll", lambda: polls.append(1))
    monkeypatch.setattr(polling.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        polling.watch()
    assert "OverflowError" in caplog.text
