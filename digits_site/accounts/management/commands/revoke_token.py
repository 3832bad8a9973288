"""manage.py revoke_token ID: revoke an access token, from the next request on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.accounts.models import AccessToken


class Command(BaseCommand):
    help = "Revokes an access token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="ID", help="as list_tokens shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        token = AccessToken.objects.select_related("user").filter(pk=options["number"]).first()
        if token is None:
            raise CommandError(f"There is no token {options['number']}.")
        message = f"Revoked {token} of {token.user}, {token.name!r}."
        token.delete()
        self.stdout.write(message)
