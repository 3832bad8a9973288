"""What must be there before the first request: database, static files, the model that ships, an admin account."""

from __future__ import annotations

import hashlib
import secrets
from itertools import chain, count
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from digits_site.development.privacy import keep_private


def prepare() -> None:
    """Database, static files and the model that ships; nothing to do from the second start on."""
    keep_database_private()
    call_command("migrate", verbosity=0, interactive=False)
    collect_static()
    call_command("install_model")


def keep_database_private() -> None:
    """It holds password hashes and sessions. PostgreSQL sees to it by itself."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        file = Path(database["NAME"])
        for each in (file, *file.parent.glob(f"{file.name}-*")):  # -wal and -shm, of an earlier start
            keep_private(each)


def collect_static() -> None:
    """Run collectstatic when a static file was added, changed or removed since the last time."""
    stamp = settings.STATIC_ROOT.with_suffix(".stamp")
    state = static_state()
    if settings.STATIC_ROOT.is_dir() and stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state)


def static_state() -> str:
    """A digest of every static file's name, size and time."""
    lines = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            lines.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def first_admin() -> tuple[str, str] | None:
    """Make an admin account when there is none: its name and the password, which is kept nowhere."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    # Somebody without rights may be called admin already: that account is not ours to promote.
    names = chain(["admin"], (f"admin{number}" for number in count(2)))
    name = next(name for name in names if not User.objects.filter(username=name).exists())
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(name, password=password)
    return name, password
