"""The log of deliveries in the admin: read-only, and each can be sent again."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from digits_site.web.admin.actions import ActionAdmin, AdminAction, Explanation, NothingToDo
from digits_site.web.admin.columns import time_column
from digits_site.web.formatting import MISSING, format_duration
from digits_site.webhooks.delivering import LEASE
from digits_site.webhooks.models import WebhookDelivery
from digits_site.webhooks.publishing import resend

Status = WebhookDelivery.Status
REFRESH_SECONDS = 1
STATE_CLASSES = {Status.PENDING: "queued", Status.DELIVERED: "completed", Status.FAILED: "error"}


def is_waiting(delivery: WebhookDelivery) -> bool:
    """Return whether only enabling the endpoint lets the delivery go on."""
    return not delivery.endpoint.enabled and not delivery.is_test


def is_being_sent(delivery: WebhookDelivery) -> bool:
    """Return whether an attempt is made about now, so that its answer is worth waiting for."""
    if delivery.status != Status.PENDING or delivery.next_attempt_at is None or is_waiting(delivery):
        return False
    seconds = (timezone.now() - delivery.next_attempt_at).total_seconds()
    return abs(seconds) <= LEASE * settings.WEBHOOK_TIMEOUT_SECONDS


def explain_resend(delivery: WebhookDelivery) -> Explanation:
    """Explain sending a delivery again. Raises NothingToDo for one that will be sent anyway, or cannot be."""
    if delivery.status == Status.PENDING:
        raise NothingToDo("This delivery is pending: it will be sent again by itself.")
    if is_waiting(delivery):
        raise NothingToDo("The endpoint is disabled. Enable it first.")
    sentences = ["The same message is sent again, with the same webhook-id. Attempts begin at one."]
    warnings = ["The endpoint has accepted it before."] if delivery.status == Status.DELIVERED else []
    return Explanation(sentences, warnings, delivery.status, "It was sent again.")


def perform_resend(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    delivery: WebhookDelivery,
    values: Mapping[str, Any],
    state: Any,
) -> None:
    """Send it again. Raises StateChanged."""
    resend(delivery)
    model_admin.log_change(request, delivery, "Sent again.")
    model_admin.message_user(request, f"Sending {delivery} again.", messages.SUCCESS)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ActionAdmin):
    list_display = (
        "name",
        "event_type",
        "endpoint_link",
        "state",
        "attempts",
        "response_status",
        "duration",
        "created",
    )
    list_filter = ("status", "event_type", ("endpoint", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("endpoint",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=id", "=message_id")
    search_help_text = "By number or webhook-id."
    fields = readonly_fields = (
        *("event_type", "endpoint_link", "message_id", "state", "attempts", "created", "last_attempt", "next_attempt"),
        *("response_status", "duration", "error", "answer", "body"),
    )
    object_actions = {
        "resend": AdminAction(
            *("Send again", "webhooks.change_webhookdelivery"),
            lambda delivery: delivery.status != Status.PENDING and not is_waiting(delivery),
            *(explain_resend, perform_resend),
        )
    }
    created = time_column("created_at", "created")
    last_attempt = time_column("last_attempt_at", "last attempt")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        """Let the page refresh itself until the answer is there."""
        response = super().render_change_form(request, context, *args, **options)
        if is_being_sent(context["original"]):
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    @admin.display(description="delivery", ordering="pk")
    def name(self, delivery: WebhookDelivery) -> str:
        return str(delivery)

    @admin.display(description="endpoint", ordering="endpoint")
    def endpoint_link(self, delivery: WebhookDelivery) -> SafeString:
        url = reverse("admin:webhooks_webhookendpoint_change", args=[delivery.endpoint_id])
        return format_html('<a href="{}">{}</a>', url, delivery.endpoint)

    @admin.display(description="status", ordering="status")
    def state(self, delivery: WebhookDelivery) -> SafeString:
        html = '<span class="run-state {}">{}</span>'
        return format_html(html, STATE_CLASSES[Status(delivery.status)], delivery.get_status_display())

    @admin.display(description="duration", ordering="seconds")
    def duration(self, delivery: WebhookDelivery) -> str:
        return format_duration(delivery.seconds)

    @admin.display(description="next attempt")
    def next_attempt(self, delivery: WebhookDelivery) -> SafeString:
        if delivery.status == Status.PENDING and is_waiting(delivery):
            return SafeString("when the endpoint is enabled")
        return self.next_attempt_time(delivery)

    next_attempt_time = time_column("next_attempt_at", "next attempt")

    @admin.display(description="answer")
    def answer(self, delivery: WebhookDelivery) -> SafeString:
        return format_html('<pre class="run-commands">{}</pre>', delivery.response_body or MISSING)

    @admin.display(description="body")
    def body(self, delivery: WebhookDelivery) -> SafeString:
        return format_html('<pre class="run-commands">{}</pre>', json.dumps(json.loads(delivery.payload), indent=2))
