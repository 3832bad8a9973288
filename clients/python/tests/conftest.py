"""The tests' server: DIGITS_URL, in local mode. DIGITS_TOKEN may activate models there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from digits import Digits

PICTURES = Path(__file__).parent
SEVEN, NUMBER, BLANK = (PICTURES / f"{name}.png" for name in ("seven", "number", "blank"))


@pytest.fixture(scope="session")
def url() -> str:
    if not (found := os.environ.get("DIGITS_URL")):
        pytest.skip("DIGITS_URL names no server: these tests did NOT run")
    return found


@pytest.fixture
def digits(url: str) -> Iterator[Digits]:
    with Digits(url, os.environ.get("DIGITS_TOKEN")) as found:
        yield found
