"""manage.py create_token ACCOUNT --name … --scope train: the only way to a token, and the only time it is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.accounts.models import SCOPES, AccessToken


class Command(BaseCommand):
    help = "Makes an access token for an account and prints it, once. It can do what its scopes and the account may do."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = "; ".join(f"{name}: {scope.meaning}" for name, scope in SCOPES.items())
        parser.add_argument("account", help="the name of the account that it speaks for")
        parser.add_argument("--name", required=True, help="what it is for, so that it can be told from others")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, dest="scopes", help=scopes)
        parser.add_argument("--days", type=int, help="until it expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        account = User.objects.filter(username=options["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account']!r}.")
        if options["days"] is not None and not 1 <= options["days"] <= 36_500:
            raise CommandError("--days takes 1 to 36500.")
        expiry = timedelta(days=options["days"]) if options["days"] else None
        scopes = [scope for scope in SCOPES if scope in options["scopes"]]
        token, secret = AccessToken.objects.create(account, expiry=expiry, name=options["name"][:100], scopes=scopes)
        self.stderr.write(
            f"{token} for {account}: {', '.join(scopes)}; expires: {token.expires}. It is shown this once:"
        )
        for name in scopes:
            permission = SCOPES[name].permission
            if not account.has_perm(permission):
                lacks = f"{account} may not do that yet: {name} needs the permission {permission}."
                self.stderr.write(self.style.WARNING(lacks))
        self.stdout.write(secret)
