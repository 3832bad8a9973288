"""`python -m tests.support.access`: the tables of access_matrix.txt as they are seen, in a test database of its own."""

import logging
from collections.abc import Iterator

import django

import tests.support.environment  # a Redis and a data folder

assert tests.support.environment
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test.runner import DiscoverRunner  # noqa: E402

from tests.support.access.asking import asking  # noqa: E402
from tests.support.access.table import HEAD, MODES, Row, documented  # noqa: E402
from tests.support.access.world import World  # noqa: E402

Cells = dict[Row, dict[str, str]]


def table(mode: str, world: World, public: Cells) -> Iterator[str]:
    """In the other modes what is answered otherwise than in public mode, which fills `public`."""
    yield f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}"
    with asking(world, mode) as callers:
        for row in documented(mode):
            seen = callers.cells(row)
            if mode == "public":
                public[row] = seen
            if mode == "public" or seen != public[row]:
                yield row.line(seen)


def main() -> None:
    logging.disable(logging.CRITICAL)  # of every refusal there would be a line
    call_command("collectstatic", interactive=False, verbosity=0)
    runner = DiscoverRunner(verbosity=0)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    with transaction.atomic():
        world, public = World(), Cells()
        for mode, title in MODES.items():
            print(f"\n## {title}\n")
            for line in table(mode, world, public):
                print(line, flush=True)
        transaction.set_rollback(True)
    runner.teardown_databases(databases)


main()
