"""Endpoints, deliveries and attempts for tests of webhooks."""

from io import StringIO

from django.core.management import call_command
from django.utils import timezone

from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.publishing import publish
from digits_site.webhooks.tasks import deliver


def made(url: str, *events: str) -> tuple[WebhookEndpoint, str]:
    """An endpoint made by the command, and its secret as it is shown."""
    out = StringIO()
    words = [word for event in events for word in ("--event", event)]
    call_command("create_webhook", url, *words, stdout=out, stderr=StringIO())
    return WebhookEndpoint.objects.latest("pk"), out.getvalue().strip()


def attempted(delivery: WebhookDelivery) -> WebhookDelivery:
    """After one attempt, which is made now."""
    WebhookDelivery.objects.filter(pk=delivery.pk, status="pending").update(next_attempt_at=timezone.now())
    deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def published(endpoint: WebhookEndpoint, event: str = "run.completed") -> WebhookDelivery:
    publish(event, {"id": 1})
    return endpoint.deliveries.latest("pk")
