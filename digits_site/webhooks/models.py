"""Endpoints and deliveries: the rules of one row."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from digits_site.webhooks import signing
from digits_site.webhooks.events import EVENTS, TEST

ROTATION = timedelta(days=1)  # requests are signed with the old secret too, for so long
OVERDUE = timedelta(minutes=1)


def validate_events(events: object) -> None:
    """Raise ValidationError unless `events` is a list of one or more known types."""
    if not isinstance(events, list) or not events or not set(map(str, events)) <= set(EVENTS):
        raise ValidationError(f"Events are a list of {', '.join(EVENTS)}.")


class WebhookEndpoint(models.Model):
    """A URL that is told of events.

    It is disabled by hand, when it answers 410, or when the last attempt of a delivery fails and none has succeeded
    since the event; `disabled_reason` says which. Until it is enabled, pending deliveries wait, and no event
    is sent.
    """

    url = models.CharField("URL", max_length=500, unique=True)
    events = models.JSONField(default=list, validators=[validate_events])
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, editable=False)
    encrypted_secret = models.TextField(editable=False)
    encrypted_old_secret = models.TextField(blank=True, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_success_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="attempts since the last success")

    class Meta:
        ordering = ["pk"]
        verbose_name = "endpoint"

    def __str__(self) -> str:
        return f"endpoint {self.pk}"

    def renew_secret(self) -> str:
        """Set and return a new secret, without saving it. The old one signs as well for a day.

        Those that sign then still do so too: a receiver may know only one of them.
        """
        secret = signing.make_secret()
        self.encrypted_old_secret = " ".join([self.encrypted_secret, *self.encrypted_old_secrets()])
        self.encrypted_secret, self.rotated_at = signing.encrypt(secret), timezone.now()
        return secret

    def encrypted_old_secrets(self) -> list[str]:
        """Return the replaced secrets that still sign, the newest first."""
        is_recent = self.rotated_at is not None and timezone.now() < self.rotated_at + ROTATION
        return self.encrypted_old_secret.split() if is_recent else []

    def restart_waiting(self) -> None:
        """Let deliveries that are overdue be due now."""
        waiting, now = self.deliveries.filter(status=WebhookDelivery.Status.PENDING), timezone.now()
        waiting.filter(next_attempt_at__lt=now).update(next_attempt_at=now)

    def signing_secrets(self) -> list[str]:
        """Return the secrets that sign a request now. Raises UnreadableSecret."""
        current = [signing.decrypt(self.encrypted_secret)]
        for old in self.encrypted_old_secrets():
            with suppress(signing.UnreadableSecret):  # it was rotated because SECRET_KEY had changed
                current.append(signing.decrypt(old))
        return current


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self, now: datetime) -> DeliveryQuerySet:
        """Return what may be sent now: of enabled endpoints, and tests.

        Without a join, which would turn an UPDATE's condition into a subquery, and PostgreSQL does not check that again
        after waiting for another worker.
        """
        enabled = Exists(WebhookEndpoint.objects.filter(pk=OuterRef("endpoint_id"), enabled=True))
        return self.filter(
            enabled | Q(event_type=TEST), status=WebhookDelivery.Status.PENDING, next_attempt_at__lte=now
        )


class WebhookDelivery(models.Model):
    """One event for one endpoint, and what came of its last attempt.

    A claim moves `next_attempt_at` into the future and adds one to `attempts`, so a delivery whose worker is killed is
    due again. `message_id` is the header webhook-id of every attempt, and the same for all endpoints.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField("message ID", max_length=40)
    event_type = models.CharField("event", max_length=40)
    payload = models.TextField(help_text="the body, byte for byte: it is signed")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    last_attempt_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField("status of the answer", null=True)
    response_body = models.TextField("answer", blank=True)
    error = models.CharField(max_length=300, blank=True)
    seconds = models.FloatField("duration", null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["next_attempt_at"], name="due_delivery", condition=Q(status="pending"))]
        constraints = [models.UniqueConstraint(fields=["endpoint", "message_id"], name="one_delivery_a_message")]

    def __str__(self) -> str:
        return f"delivery {self.pk}"

    @property
    def is_test(self) -> bool:
        return self.event_type == TEST


def count_overdue() -> int:
    """Return the number of deliveries that no worker has taken for a minute."""
    return WebhookDelivery.objects.due(timezone.now() - OVERDUE).count()


def select_endpoints(event_type: str) -> list[WebhookEndpoint]:
    """Return the enabled endpoints that are told of this type of event. They are not deleted in this transaction."""
    enabled: Any = WebhookEndpoint.objects.filter(enabled=True).only("events")
    if connection.vendor == "postgresql":  # as its foreign keys lock, which Django cannot; publishers do not wait
        sql, params = enabled.query.sql_with_params()
        enabled = WebhookEndpoint.objects.raw(f"{sql} FOR KEY SHARE", params)
    return [endpoint for endpoint in enabled if event_type in endpoint.events]
