"""Fixtures: the product as processes (`stack`), and the Django test client over a database with the shipped model.

A test marked `deployments("nginx", "granian")` runs on its own fixtures and once more on each of these: `nginx` is
`make run-scaled`, `granian` and `daphne` its web servers without nginx.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command

from tests.support.http_client import RealClient
from tests.support.limited import running_limited
from tests.support.postgres import environment_of_its_own
from tests.support.public_site import PublicSite, running_public
from tests.support.scaled import Scaled, running_scaled
from tests.support.stack import NUMPY_LEARNER, Stack, running

Stack.default_learner = NUMPY_LEARNER


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out modules with no test for PostgreSQL where only those are run: to import them takes half the time."""
    is_module = collection_path.name.startswith("test_") and config.option.markexpr == "postgres"
    return True if is_module and "mark.postgres" not in collection_path.read_text() else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("deployments")
    if marker and os.environ.get("TEST_DATABASE") != "postgres":  # a deployment has a database of its own
        others = [pytest.param(name, marks=pytest.mark.stack) for name in marker.args]
        metafunc.parametrize("deployment", [pytest.param("", id="own"), *others], indirect=True)


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> str:
    """The name in a test's mark `deployments`; empty where the test has no such mark, and on its own fixtures."""
    return getattr(request, "param", "")


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Pages name their files by fingerprint, which exists once they are collected."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(deployment: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The running product, with no run active before and after; a test may end processes of it."""
    shared: Stack = request.getfixturevalue("shared_scaled" if deployment else "shared_stack")
    yield from shared.whole_and_idle()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A web server with room for few streams."""
    with running_limited(tmp_path_factory.mktemp("limited")) as stack:
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


@pytest.fixture(scope="module")
def deployed_client(shared_scaled: Scaled, deployment: str) -> Iterator[RealClient]:
    others = {"granian": shared_scaled.granian_url, "daphne": shared_scaled.daphne_url}
    address = others.get(deployment, shared_scaled.url)
    with httpx.Client(base_url=address, timeout=30) as http:
        yield RealClient(http)


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
    from recognition.prediction import classifier
    from training import shipping

    classifier.forget()
    shipping.install()
    yield
    classifier.forget()
