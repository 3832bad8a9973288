"""manage.py list_tokens: list every access token."""

from typing import Any

from django.core.management.base import BaseCommand

from digits_site.accounts.models import AccessToken


class Command(BaseCommand):
    help = "Lists access tokens: number, account, name, scopes and expiry. The tokens themselves are not stored."

    def handle(self, *args: Any, **options: Any) -> None:
        tokens = AccessToken.objects.select_related("user").order_by("pk")
        if not tokens:
            self.stderr.write("There are no tokens.")
        for token in tokens:
            cells = [str(token.pk), str(token.user), token.name, ", ".join(token.scopes), f"expires: {token.expires}"]
            self.stdout.write("\t".join(cells))
