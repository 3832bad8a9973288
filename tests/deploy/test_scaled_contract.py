"""What holds on daphne alone holds behind nginx on granian: the tests of the contract and of bad input, once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.test_bad_input import (  # noqa: F401  (collected here, with this module's `client`)
    test_a_blank_drawing,
    test_a_body_over_the_limit,
    test_a_body_without_a_content_type,
    test_a_cross_site_post_without_an_origin_is_refused,
    test_another_sites_page_is_refused,
    test_bodies_of_a_drawing,
    test_content_types_that_are_not_read,
    test_half_a_pair_of_surrogates_is_no_text,
    test_local_mode_refuses_what_came_through_a_proxy,
    test_other_methods,
    test_parameters_of_a_run,
    test_parameters_that_are_no_object,
    test_the_products_own_page_is_not_refused,
    test_the_run_to_stop_that_is_no_number,
    test_unknown_paths_of_the_api_answer_json,
)
from tests.http.test_contract import (  # noqa: F401  (the same, with this module's `stack`)
    test_a_chunked_body_is_read_and_bounded,
    test_a_drawing_is_answered,
    test_front_door_is_the_page_for_a_browser_and_health_for_the_rest,
    test_health_and_readiness,
    test_other_methods_on_the_stream_are_405,
    test_the_life_of_a_run_by_polling,
    test_the_originals_page_may_call_from_its_origin,
    test_the_preview_is_the_picture_the_network_saw,
    test_the_progress_stream_of_an_idle_service_closes_at_once,
)
from tests.live.test_shutdown import test_a_request_in_flight_is_answered  # noqa: F401  (the same, with `own_stack`)
from tests.support.scaled import OnGranian, Scaled

pytestmark = pytest.mark.stack


class Answer:
    """An httpx answer, read as Django's test client's are."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code, self.content, self.json = answer.status_code, answer.content, answer.json
        self.headers = answer.headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


class RealClient:
    """Django's test client, as far as these tests use it, over a socket."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def generic(
        self, method: str, path: str, data: Any = b"", content_type: str = "application/octet-stream", **more: str
    ) -> Answer:
        headers = {name.removeprefix("HTTP_").replace("_", "-"): value.encode() for name, value in more.items()}
        if content_type:
            headers["Content-Type"] = content_type.encode()
        if isinstance(data, dict):
            return Answer(self.http.request(method, path, json=data, headers=headers))
        return Answer(self.http.request(method, path, content=data, headers=headers))

    def get(self, path: str, **more: str) -> Answer:
        return self.generic("GET", path, content_type="", **more)

    def post(self, path: str, data: Any = b"", **more: str) -> Answer:
        return self.generic("POST", path, data, **more)

    def put(self, path: str) -> Answer:
        return self.generic("PUT", path)

    def patch(self, path: str) -> Answer:
        return self.generic("PATCH", path)

    def delete(self, path: str) -> Answer:
        return self.generic("DELETE", path)


@pytest.fixture
def stack(scaled: Scaled) -> Scaled:
    return scaled


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[OnGranian]:
    stack = OnGranian(tmp_path)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="module", params=["nginx", "granian"])
def client(shared_scaled: Scaled, request: pytest.FixtureRequest) -> Iterator[RealClient]:
    """Through nginx, and past it: granian alone keeps every rule too."""
    address = shared_scaled.url if request.param == "nginx" else shared_scaled.granian_url
    with httpx.Client(base_url=address, timeout=30) as http:
        yield RealClient(http)
