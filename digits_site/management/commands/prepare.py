"""What `make run` does before it starts anything, for a database that only the environment of this command names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from digits_site.development.preparation import first_admin, prepare
from digits_site.management.commands.up import announcement


class Command(BaseCommand):
    """Migrations, static files, the model that ships, an admin account."""

    help = "Brings database and static files up to date, installs the model that ships and makes an admin account."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        prepare()
        account = first_admin()
        if account:
            self.stdout.write(announcement(account))
