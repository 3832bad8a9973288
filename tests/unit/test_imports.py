"""Test modules stand alone: what several need is in tests/support."""

import re

from tests.support.stack import ROOT


def test_no_test_module_imports_another() -> None:
    importing = re.compile(r"^\s*(from|import) tests\.(?!support|campaigns)", re.M)
    files = (ROOT / "tests").rglob("*.py")
    assert [file.name for file in files if importing.search(file.read_text(encoding="utf-8"))] == []
