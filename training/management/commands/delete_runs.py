"""manage.py delete_runs: delete old runs with their models, and keep the newest ones."""

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from digits_site.web.commands import check_older_than, confirm
from digits_site.web.errors import StateChanged
from recognition.deletion import delete_planned, remove_files
from training.history.deletion import old_runs, plan_runs
from training.models import TrainingRun

BATCH = 100  # runs in one transaction


class Command(BaseCommand):
    help = (
        "Deletes runs that have ended, with the models that nothing else needs, after asking. What is in service or "
        "needed to roll back, and what ships with Digits, always stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=int, metavar="DAYS", help="only runs that ended more than DAYS ago")
        parser.add_argument("--keep", type=int, metavar="N", help="never the newest N runs")
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = self.chosen(options["older_than"], options["keep"])
        plan = plan_runs(chosen)
        for sentence in plan.kept:
            self.stdout.write(sentence)
        if options["dry_run"]:
            self.stdout.write(f"Would delete {plan}.")
            return
        if not plan.runs:
            self.stdout.write("No run to delete.")
        elif not options["no_input"] and not confirm(f"Delete {plan}?"):
            raise CommandError("Nothing was deleted.")
        for start in range(0, len(plan.runs), BATCH):
            batch = plan.runs[start : start + BATCH]
            try:
                done = delete_planned(partial(plan_runs, batch), all_runs=TrainingRun.objects.all())
            except StateChanged as error:
                raise CommandError(f"{error} Run the command again.") from error
            self.stdout.write(f"Deleted {done}.")
        remove_files()  # those that an interrupted deletion left behind

    @staticmethod
    def chosen(days: int | None, keep: int | None) -> list[int]:
        """Return the runs that the options name. Raises CommandError."""
        if days is None and keep is None:
            raise CommandError("Say which runs: --older-than DAYS, --keep N, or both.")
        if days is not None:
            check_older_than(days)
        if keep is not None and keep < 0:
            raise CommandError("--keep takes 0 or more runs.")
        return old_runs(days, keep)
