"""manage.py list_webhooks: list every endpoint."""

from typing import Any

from django.core.management.base import BaseCommand

from digits_site.webhooks.models import WebhookEndpoint


class Command(BaseCommand):
    help = "Lists webhook endpoints: number, URL, events, state, and failed attempts since the last success."

    def handle(self, *args: Any, **options: Any) -> None:
        endpoints = list(WebhookEndpoint.objects.all())
        if not endpoints:
            self.stderr.write("There are no webhook endpoints.")
        for endpoint in endpoints:
            state = "enabled" if endpoint.enabled else f"disabled: {endpoint.disabled_reason}"
            cells = [
                str(endpoint.pk),
                endpoint.url,
                ", ".join(endpoint.events),
                state,
                f"failures: {endpoint.failures}",
            ]
            self.stdout.write("\t".join(cells))
