"""Webhooks in the admin: made, tested, rotated, switched off and on; a log whose deliveries can be sent again."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.publishing import publish
from digits_site.webhooks.tasks import deliver
from tests.support.admin_pages import confirm, hidden_fields, superuser_client, text_of  # noqa: F401
from tests.support.receiver import Receiver, one_transaction, receiver_of_a_test, status  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("one_transaction")]
ENDPOINTS, DELIVERIES = "/admin/webhooks/webhookendpoint/", "/admin/webhooks/webhookdelivery/"
SECRET = re.compile(r"whsec_[\w+/=]{44}")


def add(client: Client, url: str, *events: str) -> tuple[WebhookEndpoint, str]:
    """An endpoint made with the form, and its secret as the page that follows shows it."""
    answer = client.post(f"{ENDPOINTS}add/", {"url": url, "events": events, "enabled": "on"})
    found = SECRET.search(answer.content.decode())
    assert found, text_of(answer)
    return WebhookEndpoint.objects.get(url=url), found[0]


def page(client: Client, row: WebhookEndpoint | WebhookDelivery, base: str) -> str:
    return text_of(client.get(f"{base}{row.pk}/change/"))


def test_a_secret_is_shown_once_and_kept_nowhere_to_read(client: Client, receiver: Receiver) -> None:
    endpoint, secret = add(client, receiver.url, "run.error")
    act = f"{ENDPOINTS}{endpoint.pk}/act/rotate/"
    fields = hidden_fields(client, act)
    answer = client.post(act, fields)
    found = SECRET.search(answer.content.decode())
    assert found
    assert found[0] != secret
    assert "Nothing was done" in text_of(client.post(act, fields)), "a double click rotates once"
    shown = [client.get(path).content.decode() for path in (ENDPOINTS, f"{ENDPOINTS}{endpoint.pk}/change/", act)]
    shown.append(client.get(f"{ENDPOINTS}{endpoint.pk}/history/").content.decode())
    shown += [str(row) for table in (LogEntry, Session, WebhookEndpoint) for row in table.objects.values_list()]
    assert not [text for text in shown if "whsec_" in text or secret in text]
    publish("run.error", {"id": 1})
    deliver(WebhookDelivery.objects.get().pk)
    for one in (secret, found[0]):
        assert receiver.received[0].verified(one), "for a day the old secret signs as well"


def test_a_test_goes_to_one_endpoint_and_a_delivery_is_sent_again(client: Client, receiver: Receiver) -> None:
    endpoint, secret = add(client, receiver.url, "run.error")
    add(client, f"{receiver.url}/other", "run.error")
    receiver.answers = [status(418, b"I am a <b>teapot</b>")]
    text = confirm(client, f"{ENDPOINTS}{endpoint.pk}/act/test/")
    assert "The test is on its way." in text
    delivery = WebhookDelivery.objects.get()
    shown = f"{DELIVERIES}{delivery.pk}/change/"
    assert client.get(shown)["Refresh"] == "1", "until the answer is there"
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=2))
    assert "Refresh" not in client.get(shown), "no worker sends it"
    deliver(delivery.pk)
    assert "Refresh" not in client.get(shown)
    text = page(client, delivery, DELIVERIES)
    assert "failed" in text
    assert "Status 418." in text
    assert "I am a &lt;b&gt;teapot&lt;/b&gt;" in text
    assert f"Sending delivery {delivery.pk} again." in confirm(client, f"{DELIVERIES}{delivery.pk}/act/resend/")
    assert "it will be sent again by itself" in text_of(
        client.get(f"{DELIVERIES}{delivery.pk}/act/resend/", follow=True)
    )
    deliver(delivery.pk)
    first, second = (one.verified(secret) for one in receiver.received)
    assert first == second
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]
    assert "delivered" in page(client, delivery, DELIVERIES)


def test_an_endpoint_that_was_disabled_says_why_until_it_is_enabled(client: Client, receiver: Receiver) -> None:
    endpoint, _ = add(client, receiver.url, "run.error")
    receiver.answers = [status(410)]
    publish("run.error", {"id": 1})
    delivery = WebhookDelivery.objects.get()
    deliver(delivery.pk)
    for path in (ENDPOINTS, f"{ENDPOINTS}{endpoint.pk}/change/"):
        assert "disabled It answered 410 Gone." in text_of(client.get(path))
    assert "when the endpoint is enabled" in page(client, delivery, DELIVERIES)
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=2))
    form = {"url": receiver.url, "events": ["run.error", "model.activated"]}
    text = text_of(client.post(f"{ENDPOINTS}{endpoint.pk}/change/", form | {"enabled": "on"}, follow=True))
    assert "410 Gone" not in text
    assert "Start the worker for webhooks" not in text, "it was not the worker that let it wait"
    assert "run.error, model.activated" in text
    deliver(delivery.pk)
    assert "delivered" in page(client, delivery, DELIVERIES)
    assert "disabled Disabled by hand." in text_of(client.post(f"{ENDPOINTS}{endpoint.pk}/change/", form, follow=True))


def test_the_form_refuses_what_cannot_work(client: Client, settings) -> None:
    settings.LOCAL = False
    form = {"url": "https://127.0.0.1/", "events": ["run.error"], "enabled": "on"}
    assert "not a public one" in text_of(client.post(f"{ENDPOINTS}add/", form))
    assert "must begin with https://" in text_of(client.post(f"{ENDPOINTS}add/", form | {"url": "http://1.1.1.1/"}))
    assert "This field is required" in text_of(client.post(f"{ENDPOINTS}add/", form | {"events": []}))
    add(client, "https://1.1.1.1/", "run.error")
    assert "already exists" in text_of(client.post(f"{ENDPOINTS}add/", form | {"url": "https://1.1.1.1/"}))


def test_deleting_an_endpoint_takes_its_deliveries_along(client: Client, receiver: Receiver) -> None:
    endpoint, _ = add(client, receiver.url, "run.error")
    publish("run.error", {})
    url = f"{ENDPOINTS}{endpoint.pk}/delete/"
    assert "Deliveries: 1" in text_of(client.get(url)).replace("deliveries", "Deliveries")
    client.post(url, {"post": "yes"})
    assert not WebhookDelivery.objects.exists()


def test_the_list_says_when_no_worker_delivers(client: Client, receiver: Receiver) -> None:
    add(client, receiver.url, "run.error")
    publish("run.error", {})
    assert "Start the worker for webhooks" not in text_of(client.get(ENDPOINTS))
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=2))
    assert "Start the worker for webhooks" in text_of(client.get(ENDPOINTS))
