"""`manage.py migrate`, the first command of every installation, also makes what importing the settings only reads."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from digits_site.environment import make_secret_key


def make_data_dir() -> None:
    """Make DATA_DIR and, in local mode, the secret key in it."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    if settings.LOCAL and not settings.SECRET_KEY_GIVEN:
        make_secret_key(settings.DATA_DIR / "secret_key")


class Command(migrate.Command):
    """Make the data folder, then apply the migrations."""

    def execute(self, *args: Any, **options: Any) -> Any:
        make_data_dir()  # before the system checks, which open the database
        return super().execute(*args, **options)
