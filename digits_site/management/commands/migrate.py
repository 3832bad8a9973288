"""`manage.py migrate`, the first command of every installation, also makes what importing the settings only reads."""

import os
from contextlib import suppress
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Make the data folder, then apply the migrations."""

    def execute(self, *args: Any, **options: Any) -> Any:
        make_data_dir()  # before the system checks, which open the database
        return super().execute(*args, **options)


def make_data_dir() -> None:
    """Make DATA_DIR and, in local mode, a secret key: sessions survive a restart, and no default key can leak."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    file = settings.SECRET_KEY_FILE
    if settings.LOCAL and not settings.SECRET_KEY_GIVEN and not file.exists():
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, file)  # unlike a rename, leaves the key of a process that was faster
        draft.unlink()
