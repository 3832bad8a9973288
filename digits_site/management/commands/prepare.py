"""`manage.py prepare`: what must be there before the first request."""

import hashlib
import secrets
from itertools import chain, count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, call_command

from digits_site.development.processes import keep_private


class Command(BaseCommand):
    help = "Brings database and static files up to date, installs the shipped model and creates an admin account."
    requires_system_checks: list[str] = []  # `up` has checked

    def handle(self, *args: Any, **options: Any) -> None:
        keep_database_private()
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        call_command("install_model")
        if account := first_admin():
            name, password = account
            line = "=" * 72
            self.stdout.write(
                f"\n{line}\n  Admin account created.  Name: {name}   Password: {password}\n"
                f"  It is shown only once. To change it: .venv/bin/python manage.py changepassword {name}\n{line}\n"
            )


def keep_database_private() -> None:
    """Keep other accounts from SQLite's files, which hold password hashes and sessions."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        file = Path(database["NAME"])
        for each in (file, *file.parent.glob(f"{file.name}-*")):  # -wal and -shm, of an earlier start
            keep_private(each)


def collect_static() -> None:
    """Run collectstatic when a static file was added, changed or removed since the last time."""
    stamp = settings.STATIC_ROOT.with_suffix(".stamp")
    lines = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            lines.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    state = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
    if settings.STATIC_ROOT.is_dir() and stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state)


def first_admin() -> tuple[str, str] | None:
    """Make an admin account unless one exists. Return its name and password; only a hash of the password is stored."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    # An account without rights may be called admin already: it is not ours to promote.
    names = chain(["admin"], (f"admin{number}" for number in count(2)))
    name = next(name for name in names if not User.objects.filter(username=name).exists())
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(name, password=password)
    return name, password
