"""manage.py create_token ACCOUNT --name … --scope train: make a token, and show it this one time."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.accounts.models import SCOPES, AccessToken

MAX_DAYS = 36_500


class Command(BaseCommand):
    help = "Makes an access token for an account and prints it once. Its scopes and the account's permissions limit it."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = "; ".join(f"{name}: {scope.meaning}" for name, scope in SCOPES.items())
        parser.add_argument("account", help="the name of the account it acts for")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, dest="scopes", help=scopes)
        parser.add_argument("--days", type=int, help="until it expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        account = User.objects.filter(username=options["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account']!r}.")
        if options["days"] is not None and not 1 <= options["days"] <= MAX_DAYS:
            raise CommandError(f"--days takes 1 to {MAX_DAYS}.")
        expiry = timedelta(days=options["days"]) if options["days"] else None
        scopes = [scope for scope in SCOPES if scope in options["scopes"]]
        token, secret = AccessToken.objects.create(account, expiry=expiry, name=options["name"][:100], scopes=scopes)
        self.stderr.write(f"{token} for {account}: {', '.join(scopes)}; expires: {token.expires}. It is shown once:")
        for name in scopes:
            permission = SCOPES[name].permission
            if not account.has_perm(permission):
                warning = f"{account} may not do that yet: {name} needs the permission {permission}."
                self.stderr.write(self.style.WARNING(warning))
        self.stdout.write(secret)
