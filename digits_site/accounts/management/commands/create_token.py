"""manage.py create_token ACCOUNT --name … --scope train: make a token, and show it this one time."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.accounts.models import SCOPES
from digits_site.accounts.tokens import DEFAULT_DAYS, MAX_DAYS, create_token, missing_permissions


class Command(BaseCommand):
    help = "Makes an access token for an account and prints it once. Its scopes and the account's permissions limit it."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = "; ".join(f"{name}: {scope.meaning}" for name, scope in SCOPES.items())
        parser.add_argument("account", help="the name of the account it acts for")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, dest="scopes", help=scopes)
        parser.add_argument(
            "--days", type=int, default=DEFAULT_DAYS, help=f"until it expires; 0: never (default: {DEFAULT_DAYS})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = User.objects.filter(username=options["account"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['account']!r}.")
        if not 0 <= options["days"] <= MAX_DAYS:
            raise CommandError(f"--days takes 0 to {MAX_DAYS}.")
        token, text = create_token(account, options["name"], options["scopes"], options["days"])
        scopes = ", ".join(token.scopes)
        self.stderr.write(f"{token} for {account}: {scopes}; expires: {token.expires}. It is shown once:")
        for warning in missing_permissions(token):
            self.stderr.write(self.style.WARNING(warning))
        self.stdout.write(text)
