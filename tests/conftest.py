"""Fixtures: the product as processes (`stack`), and the Django test client over a database with the shipped model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.support.postgres import environment_of_its_own
from tests.support.public_site import PublicSite, running_public
from tests.support.scaled import Scaled, running_scaled
from tests.support.stack import NUMPY_LEARNER, Stack, running

Stack.default_learner = NUMPY_LEARNER


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name their files by fingerprint, which exists once they are collected."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The running product, with no run active before and after."""
    shared_stack.idle()
    yield shared_stack
    shared_stack.idle()


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A running product of this test's own, for those that break it."""
    with running(tmp_path) as stack:
        yield stack


@pytest.fixture(scope="session")
def shared_scaled() -> Iterator[Scaled]:
    with running_scaled() as stack:
        yield stack


@pytest.fixture
def scaled(shared_scaled: Scaled) -> Iterator[Scaled]:
    """`make run-scaled`, with no run active before and after."""
    shared_scaled.idle()
    yield shared_scaled
    shared_scaled.idle()


@pytest.fixture(scope="session")
def public_site() -> Iterator[PublicSite]:
    with running_public() as site:
        yield site


@pytest.fixture
def own_environment() -> Iterator[dict[str, str]]:
    """For processes that this test starts itself."""
    with environment_of_its_own() as environment:
        yield environment


@pytest.fixture
def shipped(db: None) -> Iterator[None]:
    """The shipped model registered and in service, in this test's database."""
    from recognition import classifier
    from training import shipping

    classifier.forget()
    shipping.install()
    yield
    classifier.forget()
