"""`python -m tests.access`: the tables of docs/access.md as they are seen, in a test database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import django

import tests.environment  # a Redis and a data folder

assert tests.environment
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402

from tests.access.asking import Asking  # noqa: E402
from tests.access.table import HEAD, MODES, documented  # noqa: E402
from tests.access.world import World  # noqa: E402


def table(mode: str, world: World) -> Iterator[str]:
    """In the other modes what is answered otherwise than in public mode."""
    yield f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}"
    asking, public = Asking(world, mode), Asking(world, "public")
    for row in documented(mode):
        seen = asking.cells(row)
        if mode == "public" or seen != public.cells(row):
            yield row.line(seen)


def main() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)
    runner = DiscoverRunner(verbosity=0)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    with transaction.atomic():
        world = World()
        for mode, title in MODES.items():
            print(f"\n## {title}\n")
            for line in table(mode, world):
                print(line, flush=True)
        transaction.set_rollback(True)
    runner.teardown_databases(databases)


main()
