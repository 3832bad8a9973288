"""Whose page may call: the original's from its origin, everything of it; nobody else's, however it asks."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.browser import launch_chromium  # noqa: F401
from tests.support.drawings import data_url, draw, encode
from tests.support.security_headers import style_sheet
from tests.support.stack import Stack, running

FRONTEND = "http://localhost:3000"
ALLOW = "access-control-allow-origin"
ORIGINAL = [
    ("GET", "/", 200),
    ("POST", "/api/drawing/", 200),
    ("GET", "/api/check_model_status/", 200),
    ("GET", "/api/training_progress/", 200),
    ("GET", "/api/progress/", 200),
    ("GET", "/api/model_accuracy/", 200),
    ("POST", "/api/retrain_model/", 202),
    ("POST", "/api/stop_training/", 200),
]
POSTS = [
    "/api/drawing/",
    "/api/number/",
    "/api/drawings/",
    "/api/retrain_model/",
    "/api/stop_training/",
    "/admin/login/",
]


@pytest.mark.stack
@pytest.mark.deployments("nginx")
def test_the_originals_page_may_call_everything_of_it(stack: Stack) -> None:
    for method, path, status in ORIGINAL:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "content-type"}
        preflight = stack.http.options(path, headers={"Origin": FRONTEND} | asked)
        assert preflight.status_code == 200
        assert preflight.headers[ALLOW] == FRONTEND
        assert method in preflight.headers["access-control-allow-methods"]
        assert "content-type" in preflight.headers["access-control-allow-headers"]
        drawing = {"drawing": data_url(encode(draw(7)))} if path == "/api/drawing/" else None
        answer = stack.http.request(method, path, json=drawing, headers={"Origin": FRONTEND})
        assert answer.status_code == status, path
        assert answer.headers[ALLOW] == FRONTEND
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),  # no browser
        ({"HTTP_SEC_FETCH_SITE": "same-origin"}, False),
        ({"HTTP_SEC_FETCH_SITE": "none"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, True),  # any port of this machine, and no word of which
        ({"HTTP_SEC_FETCH_SITE": "Cross-Site"}, True),
        ({"HTTP_SEC_FETCH_SITE": ""}, True),
        # The original's page on localhost, this service called by its number: the full origin decides.
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": FRONTEND}, False),
        ({"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_ORIGIN": FRONTEND}, False),
        ({"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://localhost:3001"}, True),
        ({"HTTP_SEC_FETCH_SITE": "none", "HTTP_ORIGIN": "null"}, True),
    ],
)
def test_what_a_browser_says_about_the_page(headers: dict[str, str], refused: bool) -> None:
    for path in POSTS:
        answer = Client(HTTP_HOST="localhost:8000").post(path, **headers)
        assert (answer.status_code == 403 and answer.json()["code"] == "bad_origin") is refused, path


@pytest.mark.django_db
def test_a_trusted_origin_may_post_but_only_the_front_end_may_read(settings) -> None:
    settings.TRUSTED_ORIGINS = settings.CSRF_TRUSTED_ORIGINS = [FRONTEND, "https://other.example"]
    client = Client(HTTP_HOST="localhost:8000")
    trusted = client.post("/api/stop_training/", HTTP_ORIGIN="https://other.example")
    assert trusted.status_code == 409
    assert "Access-Control-Allow-Origin" not in trusted
    front_end = client.post("/api/stop_training/", HTTP_ORIGIN=FRONTEND)
    assert (front_end.status_code, front_end["Access-Control-Allow-Origin"]) == (409, FRONTEND)
    assert "Retry-After" in front_end["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in front_end


@pytest.mark.stack
@pytest.mark.deployments("nginx")
@pytest.mark.parametrize("host", ["rebound.example", "localhost.evil.example", "127.0.0.1.nip.example:8000", "a b", ""])
def test_a_rebound_name_gets_nothing_on_any_path(stack: Stack, host: str) -> None:
    style = style_sheet(stack)
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/runs/", "/api/progress/", "/runs/", "/admin/", style):
        assert stack.http.get(path, headers={"Host": host}).status_code == 400, path
        answer = stack.http.options(path, headers={"Host": host, "Access-Control-Request-Method": "POST"})
        assert answer.status_code == 400, path
    for own in ("localhost", "[::1]:8000"):
        assert stack.http.get(style, headers={"Host": own}).status_code == 200
    with pytest.raises(InvalidStatus) as refusal:
        connect(stack.ws_url, additional_headers={"Host": host})
    assert refusal.value.response.status_code in {400, 403}


# --- The original's page in a real browser, on a port of its own ---

EVERYTHING = """async ([api, drawing]) => {
  const told = {};
  const call = async (name, path, options) => {
    told[name] = await fetch(api + path, options).then(
      async (answer) => [answer.status, await answer.json()],
      (error) => [0, String(error)],
    );
  };
  const headers = { "Content-Type": "application/json" };
  await call("health", "/");
  await call("drawing", "/api/drawing/", { method: "POST", headers, body: JSON.stringify({ drawing }) });
  await call("retrain", "/api/retrain_model/", { method: "POST" });
  await call("progress", "/api/training_progress/");
  await call("accuracy", "/api/model_accuracy/");
  const source = new EventSource(api + "/api/progress/");
  told.stream = await new Promise((resolve) => {
    source.onmessage = (event) => resolve(JSON.parse(event.data));
    source.onerror = () => resolve("refused");
  });
  source.close();
  told.beacon = navigator.sendBeacon(api + "/api/stop_training/");
  for (let tries = 0; tries < 50; tries += 1) {
    await call("status", "/api/check_model_status/");
    if (told.status[1].model_status !== "in_progress") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await call("stop", "/api/stop_training/", { method: "POST" });
  return told;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Two origins with a page on it, an empty folder's: the front end's, and another port."""
    page = partial(SimpleHTTPRequestHandler, directory=str(tmp_path_factory.mktemp("page")))
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), page) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://localhost:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, pages: list[str]) -> Iterator[Stack]:
    """The web server alone: a run that is asked for stays queued until it is stopped."""
    with running(tmp_path_factory.mktemp("frontend"), worker=False, FRONTEND_URL=pages[0]) as stack:
        yield stack


def from_page(chromium: Any, page_url: str, service: Stack) -> dict[str, Any]:
    page = chromium.new_page()
    page.goto(page_url)
    told: dict[str, Any] = page.evaluate(EVERYTHING, [service.url, data_url(encode(draw(7)))])
    page.close()
    return told


@pytest.mark.browser
def test_a_browser_lets_the_originals_page_do_everything(chromium: Any, service: Stack, pages: list[str]) -> None:
    told = from_page(chromium, pages[0], service)
    assert told["health"] == [200, {"status": "healthy"}]
    assert told["drawing"][1]["prediction"] == 7
    assert (told["retrain"][0], told["retrain"][1]["message"]) == (202, "Model creation started")
    assert told["progress"][1]["max_epochs"] == 3
    assert told["stream"]["percentage"] == 0
    assert told["accuracy"][1]["accuracy"] > 0.99
    assert told["beacon"] is True
    assert told["status"] == [200, {"model_status": "interrupted"}], "the beacon stopped it"
    assert (told["stop"][0], told["stop"][1]["message"]) == (409, "Training not in progress.")


@pytest.mark.browser
def test_a_browser_keeps_another_ports_page_out(chromium: Any, service: Stack, pages: list[str]) -> None:
    run = int(service.http.post("/api/retrain_model/").json()["run"])
    told = from_page(chromium, pages[1], service)
    assert [told[name][0] for name in ("health", "drawing", "retrain", "progress", "accuracy", "stop")] == [0] * 6
    assert told["stream"] == "refused"
    assert service.run(run)["status"] == "queued", "neither its beacon nor its POST stopped it"
    assert service.http.post("/api/stop_training/").json()["run"] == run
