"""Endpoints: their secrets, the command that makes them, and how long their deliveries are kept."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from digits_site.webhooks import polling
from digits_site.webhooks.events import EVENTS
from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.support.receiver import one_transaction, receiver_of_a_test  # noqa: F401
from tests.support.webhooks import attempted, made, published

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("one_transaction")]


def test_a_secret_is_encrypted_and_says_when_the_key_has_changed(receiver, settings) -> None:
    endpoint, secret = made(receiver.url)
    assert secret not in "".join(map(str, WebhookEndpoint.objects.values_list().get()))
    settings.SECRET_KEY = "another"
    assert "Rotate the secret" in attempted(published(endpoint)).error
    assert receiver.received == []
    endpoint.renew_secret()
    endpoint.save()
    assert attempted(published(endpoint)).status == "delivered"


def test_secrets_that_are_rotated_twice_within_a_day_sign_for_a_day(receiver) -> None:
    endpoint, first = made(receiver.url)
    secrets = [first, endpoint.renew_secret(), endpoint.renew_secret()]
    endpoint.save()
    attempted(published(endpoint))
    assert all(receiver.received[0].verified(secret) for secret in secrets)
    assert endpoint.signing_secrets() == secrets[::-1]
    endpoint.rotated_at = timezone.now() - timedelta(days=1)
    assert endpoint.signing_secrets() == secrets[2:]
    newest = endpoint.renew_secret()
    assert endpoint.signing_secrets() == [newest, secrets[2]]


def test_old_deliveries_are_deleted(receiver, settings) -> None:
    endpoint, _ = made(receiver.url)
    old, new = published(endpoint), published(endpoint)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    polling.apply_retention()
    assert list(WebhookDelivery.objects.all()) == [new]


def test_the_command_takes_known_events_and_each_url_once(receiver) -> None:
    endpoint, secret = made(receiver.url)
    assert endpoint.events == list(EVENTS)
    assert secret.startswith("whsec_")
    with pytest.raises(CommandError, match="already exists"):
        made(receiver.url)
    with pytest.raises(CommandError, match="invalid choice"):
        made(f"{receiver.url}/2", "run.begun")
