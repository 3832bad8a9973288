"""Endpoints in the admin: made, changed, tested; their secrets are rotated, and shown in one response only."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import truncatechars
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from digits_site.web.admin.actions import ActionAdmin, AdminAction, Explanation
from digits_site.web.admin.columns import time_column
from digits_site.web.errors import StateChanged
from digits_site.webhooks.destinations import check_url
from digits_site.webhooks.events import EVENTS, TEST
from digits_site.webhooks.models import WebhookEndpoint, count_overdue
from digits_site.webhooks.publishing import send_test

MAY_CHANGE = "webhooks.change_webhookendpoint"
URL_CHARACTERS = 32  # in the list
BY_HAND = "Disabled by hand."
ENABLED_HELP = "While it is disabled, pending deliveries wait, and events are not sent."
NO_WORKER = "Deliveries have been waiting for more than a minute. Start the worker for webhooks."


class EndpointForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        choices=[(name, f"{name}: {meaning}") for name, meaning in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="What the endpoint is told of.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "events", "enabled")
        widgets = {"url": AdminTextInputWidget(attrs={"class": "vLargeTextField"})}
        help_texts = {"url": "Where deliveries are posted.", "enabled": ENABLED_HELP}
        error_messages = {"url": {"unique": "An endpoint with this URL already exists. Rotate its secret to see one."}}

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if "url" in self.changed_data:
            check_url(url)
        return url


def explain_test(endpoint: WebhookEndpoint) -> Explanation:
    newest = endpoint.deliveries.filter(event_type=TEST).first()
    sentence = f"An event of the type {TEST} goes to this endpoint alone, signed as any other. It is not repeated."
    return Explanation([sentence], state=newest.pk if newest else 0, latest_change="A test was sent.")


def perform_test(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    endpoint: WebhookEndpoint,
    values: Mapping[str, Any],
    state: Any,
) -> str:
    delivery = send_test(endpoint)
    model_admin.log_change(request, endpoint, "Sent a test.")
    model_admin.message_user(
        request, "The test is on its way. This page shows the answer when it has come.", messages.SUCCESS
    )
    return reverse("admin:webhooks_webhookdelivery_change", args=[delivery.pk])


def explain_rotation(endpoint: WebhookEndpoint) -> Explanation:
    sentences = [
        "The endpoint gets a new secret, which the next page shows once.",
        "For a day requests carry a signature by the old secret too, so that the receiver can change over.",
    ]
    return Explanation(sentences, state=str(endpoint.rotated_at), latest_change="The secret was rotated.")


def rotate(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    endpoint: WebhookEndpoint,
    values: Mapping[str, Any],
    state: Any,
) -> HttpResponse:
    """Replace the secret. Raises StateChanged if another request did so first."""
    unchanged = WebhookEndpoint.objects.filter(pk=endpoint.pk, encrypted_secret=endpoint.encrypted_secret)
    secret = endpoint.renew_secret()
    names = ("encrypted_secret", "encrypted_old_secret", "rotated_at")
    if not unchanged.update(**{name: getattr(endpoint, name) for name in names}):
        raise StateChanged
    model_admin.log_change(request, endpoint, "Rotated the secret.")
    return show_once(model_admin, request, endpoint, secret)


def show_once(
    model_admin: admin.ModelAdmin, request: HttpRequest, endpoint: WebhookEndpoint, secret: str
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Secret of {endpoint}",
        "opts": model_admin.opts,
        "endpoint": endpoint,
        "secret": secret,
    }
    return TemplateResponse(request, "admin/webhooks/secret.html", context)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ActionAdmin):
    form = EndpointForm
    list_display = ("name", "url_shown", "events_shown", "state", "last_success", "failures")
    readonly_fields = ("state", "deliveries_link", "last_success", "failures", "created", "rotated")
    search_fields = ("=id", "url")
    search_help_text = "By number or URL."
    object_actions = {
        "test": AdminAction("Send a test", MAY_CHANGE, lambda _: True, explain_test, perform_test),
        "rotate": AdminAction("Rotate the secret", MAY_CHANGE, lambda _: True, explain_rotation, rotate),
    }
    last_success = time_column("last_success_at", "last success")
    created = time_column("created_at", "created")
    rotated = time_column("rotated_at", "secret made")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*EndpointForm.Meta.fields, *(self.readonly_fields if obj else ()))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET" and self.has_view_permission(request) and count_overdue():
            self.message_user(request, NO_WORKER, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the changed fields alone: the worker writes the others meanwhile. A new endpoint gets its secret."""
        if not change:
            obj.secret = obj.renew_secret()
            obj.save()
            return
        changed = list(form.changed_data)
        if "enabled" in changed:
            obj.disabled_reason, obj.failures = ("", 0) if obj.enabled else (BY_HAND, obj.failures)
            changed += ["disabled_reason", "failures"]
        obj.save(update_fields=changed)
        if "enabled" in changed and obj.enabled:  # the worker was not late with what has waited
            obj.restart_waiting()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, WebhookEndpoint.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Lock the endpoints first: no delivery is added between the deletion of the others and of their endpoint."""
        with transaction.atomic():
            list(queryset.select_for_update())
            super().delete_queryset(request, queryset)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return show_once(self, request, obj, obj.secret)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count the deliveries, which go with their endpoint and need no permission, instead of listing them."""
        chosen = list(objs)
        count = sum(endpoint.deliveries.count() for endpoint in chosen)
        return [capfirst(str(one)) for one in chosen], {"endpoints": len(chosen), "deliveries": count}, set(), []

    @admin.display(description="endpoint", ordering="pk")
    def name(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @admin.display(description="URL", ordering="url")
    def url_shown(self, endpoint: WebhookEndpoint) -> str:
        """The host and the beginning of the path, whose rest may be a key."""
        return truncatechars(endpoint.url.partition("://")[2], URL_CHARACTERS)

    @admin.display(description="events")
    def events_shown(self, endpoint: WebhookEndpoint) -> str:
        return "all" if set(endpoint.events) == set(EVENTS) else ", ".join(endpoint.events)

    @admin.display(description="state", ordering="enabled")
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        if endpoint.enabled:
            return format_html('<span class="run-state {}">{}</span>', "completed", "enabled")
        return format_html('<span class="run-state {}">{}</span> {}', "error", "disabled", endpoint.disabled_reason)

    @admin.display(description="deliveries")
    def deliveries_link(self, endpoint: WebhookEndpoint) -> SafeString:
        url = reverse("admin:webhooks_webhookdelivery_changelist")
        text = "Deliveries to this endpoint"
        return format_html('<a href="{}?endpoint__id__exact={}">{}</a>', url, endpoint.pk, text)
