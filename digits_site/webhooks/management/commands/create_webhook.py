"""manage.py create_webhook URL --event …: make an endpoint, and show its secret this one time."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.webhooks.destinations import check_url
from digits_site.webhooks.events import EVENTS
from digits_site.webhooks.models import WebhookEndpoint


class Command(BaseCommand):
    help = "Makes a webhook endpoint and prints its secret once."

    def add_arguments(self, parser: CommandParser) -> None:
        meanings = "; ".join(f"{name}: {meaning}" for name, meaning in EVENTS.items())
        parser.add_argument("url", metavar="URL", help="where deliveries are posted")
        parser.add_argument(
            "--event", action="append", choices=EVENTS, dest="events", help=f"{meanings} (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        endpoint = WebhookEndpoint(url=options["url"], events=options["events"] or list(EVENTS))
        secret = endpoint.renew_secret()
        try:
            endpoint.full_clean()
            check_url(endpoint.url)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        endpoint.save()
        self.stderr.write(f"{endpoint} is told of {', '.join(endpoint.events)}. Its secret is shown once:")
        self.stdout.write(secret)
