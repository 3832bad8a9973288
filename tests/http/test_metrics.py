"""/metrics over HTTP: what it counts, who may read it, several processes as one, and what stands on its names."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.support.drawings import draw, encode
from tests.support.ports import free_port, wait_for_port
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually, running

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


def read(http: httpx.Client) -> Samples:
    answer = http.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return parsed(answer.text)


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sample's value, 0 for one that is not there yet."""
    return samples.get((name, frozenset(labels.items())), 0.0)


def growth(before: Samples, after: Samples, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


def send_drawing(http: httpx.Client) -> httpx.Response:
    return http.post("/api/drawing/", content=encode(draw(7)), headers={"Content-Type": "image/png"})


# --- What is counted ---


def test_a_drawing_is_counted_timed_by_stage_and_its_confidence_noted(stack: Stack) -> None:
    before = read(stack.http)
    answer = send_drawing(stack.http)
    assert answer.status_code == 200, answer.text
    grown = partial(growth, before, read(stack.http))
    route = {"route": "drawing", "method": "POST"}
    assert grown("digits_http_requests_total", **route, status="2xx") == 1
    assert grown("digits_http_request_duration_seconds_count", **route) == 1
    for stage in ("decode", "prepare", "network"):
        assert grown("digits_drawing_stage_seconds_count", stage=stage) == 1
    assert grown("digits_drawing_confidence_ratio_sum") == pytest.approx(answer.json()["confidence"] / 100, abs=1e-3)
    stages = sum(grown("digits_drawing_stage_seconds_sum", stage=s) for s in ("decode", "prepare", "network"))
    assert 0 < stages < grown("digits_http_request_duration_seconds_sum", **route)


def test_refusals_are_counted_by_code_wherever_they_are_made(stack: Stack) -> None:
    before = read(stack.http)
    stack.http.post("/api/drawing/", json={})  # a view
    stack.http.post("/api/drawing/", json={}, headers={"Origin": "http://elsewhere.example"})  # a middleware
    stack.http.get("/nowhere", headers={"Accept": "text/html"})  # a page
    stack.http.get("/healthz", headers={"Host": "elsewhere.example"})  # Django
    grown = partial(growth, before, read(stack.http))
    for code in ("missing_drawing", "bad_origin", "not_found", "bad_host"):
        assert grown("digits_refusals_total", code=code) == 1, code
    assert grown("digits_http_requests_total", route="unknown", method="POST", status="4xx") > 0


def test_unknown_paths_and_methods_make_no_series_of_their_own(stack: Stack) -> None:
    def series(numbers: range) -> set[Any]:
        for number in numbers:
            stack.http.get(f"/nowhere/{number}")
            stack.http.get(f"/api/runs/{900_000 + number}/")
            stack.http.request(f"BREW{number}", "/api/models/")
        return {key for key in read(stack.http) if key[0] == "digits_http_requests_total"}

    assert series(range(1)) == series(range(20))


# --- The names: export, dashboard, alerts, docs ---


@pytest.fixture(scope="module")
def during_a_run(shared_stack: Stack) -> Iterator[Samples]:
    """A reading while a run is in progress, after a drawing, a correction and a refusal: every metric there is."""
    shared_stack.idle()
    send_drawing(shared_stack.http)
    answer = shared_stack.http.post(
        "/api/corrections/?label=7", content=encode(draw(7)), headers={"Content-Type": "image/png"}
    )
    assert answer.status_code in {200, 201}, answer.text
    shared_stack.http.post("/api/drawing/", json={})
    shared_stack.train(samples=8192, epochs=50)

    def reading() -> Samples | None:
        found = read(shared_stack.http)
        is_whole = all(value(found, "digits_up", source=source) for source in ("database", "redis"))
        return found if is_whole and value(found, "digits_run_state", status="in_progress") else None

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


def named_in(text: str) -> set[str]:
    """Names of ours without what a histogram adds to them."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bdigits_[a-z_]+", text)}


def exported(samples: Samples) -> set[str]:
    return named_in(" ".join(name for name, _ in samples))


def dashboard_expressions() -> list[str]:
    document = json.loads(DASHBOARD.read_text())
    targets = [target for panel in document["panels"] for target in panel.get("targets", [])]
    return [entry["expr"] for entry in (*targets, *document["annotations"]["list"])]


def test_the_dashboard_shows_every_metric_and_no_other(during_a_run: Samples) -> None:
    assert named_in(" ".join(dashboard_expressions())) == exported(during_a_run)


def test_the_dashboard_reads_from_the_data_source_that_is_chosen() -> None:
    document = json.loads(DASHBOARD.read_text())
    assert [v["type"] for v in document["templating"]["list"] if v["name"] == "datasource"] == ["datasource"]
    for panel in document["panels"]:
        if panel["type"] != "row":
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}, panel["title"]
    numbers = [panel["id"] for panel in document["panels"]]
    assert len(numbers) == len(set(numbers))


def test_alerts_stand_on_metrics_that_exist_and_are_described(during_a_run: Samples) -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    wanted = named_in(" ".join(rule["expr"] for rule in rules))
    assert wanted, "no alert names a metric"
    assert wanted <= exported(during_a_run)
    described = set(re.findall(r"^\| `(Digits\w+)`", OPERATIONS.read_text(), re.M))
    assert described == {rule["alert"] for rule in rules}


def test_a_label_that_dashboard_or_alerts_ask_for_exists(during_a_run: Samples) -> None:
    text = " ".join(dashboard_expressions()) + ALERTS.read_text()
    real = {label for name, labels in during_a_run if name.startswith("digits_") for label, _ in labels} | {"le"}
    added = {"instance", "job"}  # by Prometheus
    asked = set(re.findall(r"[{,]\s*(\w+)\s*=~?", text))
    for words in re.findall(r"by \(([\w, ]+)\)", text):
        asked |= set(words.split(", "))
    assert asked - added <= real


def test_the_docs_describe_every_metric_with_its_type_and_labels(during_a_run: Samples, shared_stack: Stack) -> None:
    kinds = re.findall(r"^# TYPE (digits_\w+) (\w+)$", shared_stack.http.get("/metrics").text, re.M)
    types = {name: kind for name, kind in kinds if name in exported(during_a_run)}
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


def test_public_mode_refuses_another_token(public: Client, settings) -> None:
    settings.METRICS_TOKEN = "the-token"
    for given in ("", "Bearer ", "Bearer wrong", "the-token", "Token the-token", "Bearer the-tokené"):
        answer = public.get("/metrics", HTTP_AUTHORIZATION=given)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), given
        assert answer["WWW-Authenticate"] == "Bearer"
        assert b"digits_" not in answer.content


# --- Several processes; what is away ---


def drawings(http: httpx.Client) -> float:
    return value(read(http), "digits_http_requests_total", route="drawing", method="POST", status="2xx")


def test_each_of_two_processes_tells_of_both_and_a_killed_one_takes_only_its_viewers(tmp_path: Path) -> None:
    """Two daphnes over one data folder and one METRICS_DIR."""

    def start_other() -> None:
        stack.launch_web("other", port)
        wait_for_port(port)

    port = free_port()
    with (
        running(tmp_path, worker=False, METRICS_DIR=str(tmp_path / "metrics")) as stack,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as two,
    ):
        one = stack.http
        start_other()
        assert [send_drawing(http).status_code for http in (one, one, one, two, two)] == [200] * 5
        assert drawings(one) == drawings(two) == 5
        assert value(read(two), "digits_drawing_stage_seconds_count", stage="network") == 5
        with connect(stack.ws_url) as first, connect(f"ws://127.0.0.1:{port}/ws/training/") as second:
            first.recv(timeout=10)
            second.recv(timeout=10)
            eventually(lambda: value(read(one), "digits_viewers") == 2, 15, "both viewers")
            stack.kill("other")
            eventually(lambda: value(read(one), "digits_viewers") == 1, 15, "the end of the killed one's viewer")
        assert drawings(one) == 5, "a total must not fall while a process lives"
        start_other()
        assert send_drawing(two).status_code == 200
        assert drawings(one) == drawings(two) == 6
        # Nobody left: whoever comes first begins anew.
        stack.kill("web")
        stack.kill("other")
        start_other()
        assert drawings(two) == 0


def test_public_mode_with_its_token_says_within_two_seconds_what_does_not_answer(tmp_path: Path) -> None:
    """A database that takes connections and is silent, a Redis that is stopped and then gone."""
    stack = Stack(tmp_path, METRICS_TOKEN="the-token", **PUBLIC)
    stack.environment["REDIS_URL"] = f"redis://:secret@127.0.0.1:{stack.redis_port}/0"
    stack.http.headers["Authorization"] = "Bearer the-token"
    readings: list[Samples] = []

    def read_in_time() -> Samples:
        """Two seconds, and a loaded machine's own."""
        began = time.monotonic()
        readings.append(read(stack.http))
        return readings[-1] if time.monotonic() - began < 4 else {}

    with socket.create_server(("127.0.0.1", 0)) as silent, closing(stack):
        # pragma: allowlist nextline secret
        stack.environment["DATABASE_URL"] = f"postgres://digits:digits@127.0.0.1:{silent.getsockname()[1]}/digits"
        stack.start_redis()
        stack.start_web()
        assert stack.http.get("/healthz").status_code == 200, "the first request imports the views"
        for how in (signal.SIGSTOP, signal.SIGKILL):
            stack.kill("redis", how)
            samples = eventually(read_in_time, 10, "an answer in time")
            for source in ("database", "redis"):
                assert samples["digits_up", frozenset({("source", source)})] == 0
            assert not {"digits_workers", "digits_runs"} & exported(samples)
        earlier = value(samples, "digits_http_requests_total", route="metrics", method="GET", status="2xx")
        assert earlier == len(readings) - 1
        process = psutil.Process(stack.processes["web"].pid)
        before = process.num_threads()
        for _ in range(3):
            read(stack.http)
        assert process.num_threads() <= before + 2, "looks at what hangs must not pile up"
