"""That `python -m tests.campaigns.guards` takes away what is there: each guard's line stands once in the product."""

from __future__ import annotations

import pytest

from tests.campaigns.guards import GUARDS, ROOT, Guard


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_where_it_is_said_to_be(guard: Guard) -> None:
    assert (ROOT / guard.file).read_text(encoding="utf-8").count(guard.line) == 1
    assert (ROOT / guard.tests).exists()
