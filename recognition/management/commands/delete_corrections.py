"""manage.py delete_corrections: delete an account's corrections, old ones, or all that wait for a reviewer."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.template.defaultfilters import pluralize

from digits_site.web.commands import check_older_than, confirm
from recognition.corrections.retention import delete, older_than
from recognition.models import Correction


class Command(BaseCommand):
    help = "Deletes corrections, after asking. Models trained on them are unchanged."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--account", help="everything that this account has sent")
        chosen.add_argument("--older-than", type=int, metavar="DAYS", help="whatever their status")
        chosen.add_argument("--all-pending", action="store_true", help="everything that no reviewer has decided on")
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = self.chosen(options)
        count = chosen.count()
        if count and not options["no_input"] and not confirm(f"Delete {count} correction{pluralize(count)}?"):
            raise CommandError("Nothing was deleted.")
        deleted = delete(chosen)
        self.stdout.write(f"{deleted} correction{pluralize(deleted)} deleted.")

    @staticmethod
    def chosen(options: dict[str, Any]) -> QuerySet[Correction]:
        """Return the corrections that the options name. Raises CommandError."""
        if options["all_pending"]:
            return Correction.objects.filter(state=Correction.State.PENDING)
        if options["account"] is not None:
            user = get_user_model().objects.filter(username=options["account"]).first()
            if user is None:
                raise CommandError(f"There is no account {options['account']!r}.")
            return Correction.objects.filter(account=user)
        check_older_than(options["older_than"])
        return older_than(options["older_than"])
