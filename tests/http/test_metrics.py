"""/metrics over HTTP: what it counts, who may read it, several processes as one, and what stands on its names."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.support.drawings import draw, encode
from tests.support.ports import free_port, wait_for_port
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually

DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"
ALERTS = ROOT / "deploy" / "prometheus-alerts.yml"
OPERATIONS = ROOT / "docs" / "operations.md"
PUBLIC = {
    "DIGITS_MODE": "public",
    "SECRET_KEY": "key of a test. " * 4,
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUSTED_ORIGINS": "https://digits.example.org",
}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def read(url: str) -> Samples:
    answer = httpx.get(f"{url}/metrics", timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return parsed(answer.text)


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sample's value, 0 for one that is not there yet."""
    return samples.get((name, frozenset(labels.items())), 0.0)


def send_drawing(url: str) -> httpx.Response:
    return httpx.post(f"{url}/api/drawing/", content=encode(draw(7)), headers={"Content-Type": "image/png"}, timeout=30)


# --- What is counted ---


def test_a_drawing_is_counted_timed_by_stage_and_its_confidence_noted(stack: Stack) -> None:
    before = read(stack.url)
    answer = send_drawing(stack.url)
    assert answer.status_code == 200, answer.text
    after = read(stack.url)
    route = {"route": "drawing", "method": "POST"}

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("digits_http_requests_total", **route, status="2xx") == 1
    assert grown("digits_http_request_duration_seconds_count", **route) == 1
    for stage in ("decode", "prepare", "network"):
        assert grown("digits_drawing_stage_seconds_count", stage=stage) == 1
    assert grown("digits_drawing_confidence_ratio_sum") == pytest.approx(answer.json()["confidence"] / 100, abs=1e-3)
    stages = sum(grown("digits_drawing_stage_seconds_sum", stage=s) for s in ("decode", "prepare", "network"))
    assert 0 < stages < grown("digits_http_request_duration_seconds_sum", **route)


def test_refusals_are_counted_by_code_wherever_they_are_made(stack: Stack) -> None:
    before = read(stack.url)
    stack.http.post("/api/drawing/", json={})  # a view
    stack.http.post("/api/drawing/", json={}, headers={"Origin": "http://elsewhere.example"})  # a middleware
    stack.http.get("/nowhere", headers={"Accept": "text/html"})  # a page
    stack.http.get("/healthz", headers={"Host": "elsewhere.example"})  # Django
    after = read(stack.url)
    for code in ("missing_drawing", "bad_origin", "not_found", "bad_host"):
        grown = value(after, "digits_refusals_total", code=code) - value(before, "digits_refusals_total", code=code)
        assert grown == 1, code
    refused = {"route": "unknown", "method": "POST", "status": "4xx"}
    assert value(after, "digits_http_requests_total", **refused) > value(
        before, "digits_http_requests_total", **refused
    )


def test_unknown_paths_and_methods_make_no_series_of_their_own(stack: Stack) -> None:
    stack.http.get("/nowhere")
    stack.http.request("BREW", "/api/models/")
    before = {key for key in read(stack.url) if key[0] == "digits_http_requests_total"}
    for number in range(20):
        stack.http.get(f"/nowhere/{number}")
        stack.http.get(f"/api/runs/{900_000 + number}/")
        stack.http.request(f"BREW{number}", "/api/models/")
    after = {key for key in read(stack.url) if key[0] == "digits_http_requests_total"}
    assert len(after - before) <= 1, "at most the one for /api/runs/<id>/"


def test_viewers_are_counted_while_they_are_there(stack: Stack) -> None:
    before = value(read(stack.url), "digits_viewers")
    with connect(stack.ws_url) as one, connect(stack.ws_url) as two:
        one.recv(timeout=10)
        two.recv(timeout=10)
        assert value(read(stack.url), "digits_viewers") == before + 2
    eventually(lambda: value(read(stack.url), "digits_viewers") == before, 10, "the end of the viewers")


def test_a_server_error_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("training.pages.render", breaks)
    before = in_process()
    answer = Client(raise_request_exception=False).get("/", HTTP_ACCEPT="text/html")
    assert answer.status_code == 500
    after = in_process()
    labels = {"route": "home", "method": "GET", "status": "5xx"}
    for name, of in (("digits_http_requests_total", labels), ("digits_refusals_total", {"code": "server_error"})):
        assert value(after, name, **of) == value(before, name, **of) + 1


def in_process() -> Samples:
    """What this process has counted."""
    from prometheus_client import REGISTRY, generate_latest

    return parsed(generate_latest(REGISTRY).decode())


# --- The names: export, dashboard, alerts, docs ---


@pytest.fixture(scope="module")
def during_a_run(shared_stack: Stack) -> Iterator[Samples]:
    """A reading while a run is in progress, after a drawing and a refusal: every metric there is."""
    shared_stack.idle()
    send_drawing(shared_stack.url)
    shared_stack.http.post("/api/drawing/", json={})
    shared_stack.train(samples=8192, epochs=50)

    def reading() -> Samples | None:
        found = read(shared_stack.url)
        return found if value(found, "digits_run_state", status="in_progress") else None

    yield eventually(reading, PATIENCE_SECONDS, "a run in progress")
    shared_stack.idle()


def test_a_run_in_progress_is_told(during_a_run: Samples, shared_stack: Stack) -> None:
    newest = shared_stack.http.get("/api/runs/").json()["results"][0]
    assert value(during_a_run, "digits_run_number") == newest["id"]
    assert value(during_a_run, "digits_run_epochs_planned") == 50
    assert value(during_a_run, "digits_runs", status="in_progress") == 1
    assert value(during_a_run, "digits_run_state", status="completed") == 0
    assert 0 <= value(during_a_run, "digits_run_heartbeat_age_seconds") < 15
    assert ("digits_run_heartbeat_age_seconds", frozenset()) in during_a_run
    assert value(during_a_run, "digits_workers") == 1
    serving = shared_stack.http.get("/api/models/").json()["results"]
    assert value(during_a_run, "digits_model_version") in {model["id"] for model in serving}
    assert value(during_a_run, "digits_model_accuracy_ratio") > 0.9


def exported(samples: Samples) -> set[str]:
    """Names of ours without what a histogram adds to them."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in samples if name.startswith("digits_")}


def named_in(text: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bdigits_[a-z_]+", text)}


def dashboard_expressions() -> list[str]:
    document = json.loads(DASHBOARD.read_text())
    targets = [target for panel in document["panels"] for target in panel.get("targets", [])]
    return [entry["expr"] for entry in (*targets, *document["annotations"]["list"])]


def test_the_dashboard_shows_every_metric_and_no_other(during_a_run: Samples) -> None:
    shown, real = named_in(" ".join(dashboard_expressions())), exported(during_a_run)
    assert shown == real


def test_the_dashboard_reads_from_the_data_source_that_is_chosen() -> None:
    document = json.loads(DASHBOARD.read_text())
    assert [v["type"] for v in document["templating"]["list"] if v["name"] == "datasource"] == ["datasource"]
    for panel in document["panels"]:
        if panel["type"] != "row":
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}, panel["title"]
    numbers = [panel["id"] for panel in document["panels"]]
    assert len(numbers) == len(set(numbers))


def test_alerts_stand_on_metrics_and_labels_that_exist(during_a_run: Samples) -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    wanted = named_in(" ".join(rule["expr"] for rule in rules))
    assert wanted, "no alert names a metric"
    assert wanted <= exported(during_a_run)
    described = set(re.findall(r"^\| `(Digits\w+)`", OPERATIONS.read_text(), re.M))
    assert described == {rule["alert"] for rule in rules}


@pytest.mark.parametrize("where", ["dashboard", "alerts"])
def test_a_label_that_is_asked_for_exists(during_a_run: Samples, where: str) -> None:
    text = " ".join(dashboard_expressions()) if where == "dashboard" else ALERTS.read_text()
    real = {label for name, labels in during_a_run if name.startswith("digits_") for label, _ in labels} | {"le"}
    added = {"instance", "job"}  # by Prometheus
    asked = set(re.findall(r"[{,]\s*(\w+)\s*=~?", text))
    for words in re.findall(r"by \(([\w, ]+)\)", text):
        asked |= set(words.split(", "))
    assert asked - added <= real


def test_the_docs_describe_every_metric_with_its_type_and_labels(during_a_run: Samples, shared_stack: Stack) -> None:
    text = httpx.get(f"{shared_stack.url}/metrics").text
    types = {
        name: kind
        for name, kind in re.findall(r"^# TYPE (digits_\w+) (\w+)$", text, re.M)
        if name in exported(during_a_run)
    }
    types["digits_run_heartbeat_age_seconds"] = "gauge"  # the run may have ended meanwhile
    rows = re.findall(r"^\| `(digits_\w+)` \| (\w+) \| ([^|]*)\|", OPERATIONS.read_text(), re.M)
    assert {name: kind for name, kind, _ in rows} == types
    for name, _, labels in rows:
        samples = [keys for found, keys in during_a_run if re.sub(r"_(bucket|sum|count)$", "", found) == name]
        real = {label for keys in samples for label, _ in keys} - {"le"}
        assert set(re.findall(r"`(\w+)`", labels)) == real, name


# --- Who may read ---


@pytest.fixture
def public(settings) -> Client:
    settings.LOCAL, settings.SECURE_SSL_REDIRECT = False, True
    return Client(HTTP_HOST="localhost")


def test_public_mode_has_no_metrics_without_a_token(public: Client, settings) -> None:
    settings.METRICS_TOKEN = ""
    assert public.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "the-token", "Token the-token", "Bearer the-tokené"])
def test_public_mode_refuses_another_token(public: Client, settings, given: str) -> None:
    settings.METRICS_TOKEN = "the-token"
    answer = public.get("/metrics", HTTP_AUTHORIZATION=given)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert b"digits_" not in answer.content


def test_metrics_are_only_read(client: Client) -> None:
    assert client.post("/metrics").status_code == 405


# --- Several processes; what is away ---


@contextmanager
def two_webs(folder: Path, **environment: str) -> Iterator[tuple[Stack, list[str]]]:
    """Redis and two daphnes over one data folder and one METRICS_DIR; no worker."""
    stack = Stack(folder, METRICS_DIR=str(folder / "metrics"), **environment)
    try:
        stack.start_redis()
        stack.prepare()
        ports = [free_port(), free_port()]
        for number, port in enumerate(ports):
            stack.launch_web(f"web{number}", port)
        for port in ports:
            wait_for_port(port)
        yield stack, [f"http://127.0.0.1:{port}" for port in ports]
    finally:
        stack.close()


def drawings(samples: Samples) -> float:
    return value(samples, "digits_http_requests_total", route="drawing", method="POST", status="2xx")


def test_each_of_two_processes_tells_of_both_and_a_killed_one_takes_only_its_viewers(tmp_path: Path) -> None:
    with two_webs(tmp_path) as (stack, (one, two)):
        assert [send_drawing(url).status_code for url in (one, one, one, two, two)] == [200] * 5
        assert drawings(read(one)) == drawings(read(two)) == 5
        assert value(read(two), "digits_drawing_stage_seconds_count", stage="network") == 5
        with (
            connect(one.replace("http", "ws") + "/ws/training/") as first,
            connect(two.replace("http", "ws") + "/ws/training/") as second,
        ):
            first.recv(timeout=10)
            second.recv(timeout=10)
            eventually(lambda: value(read(one), "digits_viewers") == 2, 15, "both viewers")
            stack.kill("web1")
            eventually(lambda: value(read(one), "digits_viewers") == 1, 15, "the end of the killed one's viewer")
        assert drawings(read(one)) == 5, "a total must not fall while a process lives"
        port = int(two.rsplit(":", 1)[1])
        stack.launch_web("web1", port)
        wait_for_port(port)
        assert send_drawing(two).status_code == 200
        assert drawings(read(one)) == drawings(read(two)) == 6
        # Nobody left: whoever comes first begins anew.
        for name in ("web0", "web1"):
            stack.kill(name)
        stack.launch_web("web1", port)
        wait_for_port(port)
        assert drawings(read(two)) == 0


def test_public_mode_with_its_token_says_within_two_seconds_what_does_not_answer(tmp_path: Path) -> None:
    """A database that takes connections and is silent, a Redis that is stopped and then gone."""
    stack = Stack(tmp_path, METRICS_TOKEN="the-token", **PUBLIC)
    stack.environment["REDIS_URL"] = f"redis://:secret@127.0.0.1:{stack.redis_port}/0"
    asked = {"Authorization": "Bearer the-token"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # pragma: allowlist nextline secret
        stack.environment["DATABASE_URL"] = f"postgres://digits:digits@127.0.0.1:{silent.getsockname()[1]}/digits"
        try:
            stack.start_redis()
            stack.start_web()
            for how in (signal.SIGSTOP, signal.SIGKILL):
                stack.kill("redis", how)
                began = time.monotonic()
                answer = stack.http.get("/metrics", headers=asked)
                assert time.monotonic() - began < 4, "two seconds, and a loaded machine's own"
                assert answer.status_code == 200, answer.text
                samples = parsed(answer.text)
                for source in ("database", "redis"):
                    assert samples["digits_up", frozenset({("source", source)})] == 0
                assert not {"digits_workers", "digits_runs"} & exported(samples)
            assert value(samples, "digits_http_requests_total", route="metrics", method="GET", status="2xx") == 1
            process = psutil.Process(stack.processes["web"].pid)
            before = process.num_threads()
            for _ in range(3):
                stack.http.get("/metrics", headers=asked)
            assert process.num_threads() <= before + 2, "looks at what hangs must not pile up"
        finally:
            stack.close()
