"""What all stacks start from: a migrated database, an installed model and collected static files."""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support.environment import folder as scratch
from tests.support.postgres import create_database, drop_database, is_postgres

ROOT = Path(__file__).resolve().parents[2]


@cache
def prepared() -> tuple[Path, str]:
    """A data folder, and with PostgreSQL a database, with all that must be there before anything starts.

    They are the same for all stacks, each of which gets a copy.
    """
    folder, server = scratch / "prepared", os.environ.get("DATABASE_URL", "")
    environment, database = os.environ | {"DATA_DIR": str(folder)}, ""
    if is_postgres(server):
        environment["DATABASE_URL"] = database = create_database(server)
        atexit.register(drop_database, server, database)
    prepare(environment)
    return folder, database


def run(environment: Mapping[str, str], *words: str) -> str:
    """What Python prints when it is started with these words. Raises CalledProcessError when it fails."""
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def prepare(environment: Mapping[str, str]) -> None:
    """Three commands in one process. Static files that tests/conftest.py has collected are copied."""
    code = (
        "import django; django.setup(); from django.core.management import call_command as call;"
        "call('migrate', verbosity=0); call('install_model');"
    )
    collected = scratch / "in-process" / "static"
    if (collected / "staticfiles.json").exists():
        shutil.copytree(collected, Path(environment["DATA_DIR"]) / "static", dirs_exist_ok=True)
    else:
        code += "call('collectstatic', interactive=False, verbosity=0)"
    run(environment, "-c", code)
