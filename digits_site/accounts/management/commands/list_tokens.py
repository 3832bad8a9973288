"""manage.py list_tokens: every access token, without the tokens themselves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from digits_site.accounts.models import AccessToken


class Command(BaseCommand):
    help = "Lists access tokens: number, account, name, scopes, when they expire. What is a token is kept nowhere."

    def handle(self, *args: Any, **options: Any) -> None:
        tokens = AccessToken.objects.select_related("user").order_by("pk")
        if not tokens:
            self.stderr.write("There are no tokens.")
        for token in tokens:
            words = [str(token.pk), str(token.user), token.name, ", ".join(token.scopes), f"expires: {token.expires}"]
            self.stdout.write("\t".join(words))
