"""`manage.py prepare`: what `make run` does before it starts anything."""

from typing import Any

from django.core.management.base import BaseCommand

from digits_site.development.preparation import prepare


class Command(BaseCommand):
    """Migrations, static files, the model that ships, an admin account."""

    help = "Brings database and static files up to date, installs the model that ships and makes an admin account."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(prepare())
