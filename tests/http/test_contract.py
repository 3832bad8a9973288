"""The original's HTTP contract, on the running product."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.support.drawings import data_url, draw, encode
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually

pytestmark = pytest.mark.stack
everywhere = pytest.mark.deployments("nginx")  # behind which granian and daphne share the work


@everywhere
def test_front_door_is_the_page_for_a_browser_and_health_for_the_rest(stack: Stack) -> None:
    assert stack.http.get("/").json() == {"status": "healthy"}
    page = stack.http.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "<canvas" in page.text


@everywhere
def test_a_drawing_is_answered(stack: Stack) -> None:
    png = encode(draw(7))
    for sent in (
        {"json": {"drawing": data_url(png)}},
        {"files": {"drawing": ("seven.png", png, "image/png")}},
        {"content": png, "headers": {"Content-Type": "image/png"}},
    ):
        answer = stack.http.post("/api/drawing/", **sent)
        assert answer.status_code == 200
        body = answer.json()
        assert body["prediction"] == 7
        assert isinstance(body["confidence"], float)
        assert 50 < body["confidence"] <= 100
        assert len(body["probabilities"]) == 10
        assert sum(body["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert isinstance(body["model"], int)
        assert "preview" not in body


@everywhere
def test_the_preview_is_the_picture_the_network_saw(stack: Stack) -> None:
    answer = stack.http.post("/api/drawing/?preview=1", json={"drawing": data_url(encode(draw(3)))}).json()
    # Sent back, it is read the same: it is a drawing, prepared.
    again = stack.http.post("/api/drawing/", json={"drawing": answer["preview"]}).json()
    assert again["prediction"] == answer["prediction"] == 3


@everywhere
@pytest.mark.postgres
def test_the_life_of_a_run_by_polling(stack: Stack) -> None:
    """Retrain with no body and no Content-Type, as the original's page does it, watch, stop by beacon."""
    assert stack.http.get("/api/training_progress/").json() == {}
    started = stack.http.post("/api/retrain_model/")
    assert started.status_code == 202
    assert started.json()["message"] == "Model creation started"
    run = started.json()["run"]
    second = stack.http.post("/api/retrain_model/")
    assert second.status_code == 409
    assert second.json()["run"] == run
    assert second.json()["message"]
    assert stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    progress, epochs = eventually(lambda: progress_and_epochs(stack, run), PATIENCE_SECONDS, "a batch")
    assert progress["max_epochs"] == 3
    assert 0 < progress["percentage"] <= 100
    assert ("epoch" in progress) == (epochs > 0), "absent before the first epoch ends"
    beacon = {"Content-Type": "text/plain;charset=UTF-8", "Origin": "http://localhost:3000"}
    stopped = stack.http.post("/api/stop_training/", headers=beacon)
    assert (stopped.status_code, stopped.json()) == (200, {"message": "Stop signal sent.", "run": run})
    assert stack.http.post("/api/stop_training/").status_code == 200, "a second stop is the same"
    assert stack.ended(run)["status"] == "interrupted"
    assert stack.http.get("/api/check_model_status/").json() == {"model_status": "interrupted"}
    idle = stack.http.post("/api/stop_training/")
    assert idle.status_code == 409
    assert idle.json()["message"] == "Training not in progress."


def progress_and_epochs(stack: Stack, run: int) -> tuple[dict[str, Any], int] | None:
    """The progress within an epoch and how many epochs have ended; None before the first batch and between epochs."""
    before = len(stack.run(run)["epochs"])
    progress = stack.http.get("/api/training_progress/").json()
    is_known = progress.get("percentage", 0) > 0 and len(stack.run(run)["epochs"]) == before
    return (progress, before) if is_known else None


@everywhere
def test_the_progress_stream_of_an_idle_service_closes_at_once_and_takes_no_other_method(stack: Stack) -> None:
    answer = stack.http.get("/api/progress/")
    head, _, data = answer.text.partition("\ndata: ")
    assert json.loads(data)["event"] == "close", "the first message, and the only one"
    again = stack.http.get("/api/progress/", headers={"Last-Event-ID": head.removeprefix("id: ")})
    assert (again.status_code, again.content) == (204, b""), "a browser's EventSource stops asking"
    for other in ("", "1-0", "end", "x-end", "1-end 2"):
        assert '"close"' in stack.http.get("/api/progress/", headers={"Last-Event-ID": other}).text
    refusal = stack.http.post("/api/progress/")
    assert (refusal.status_code, refusal.json()["code"], refusal.headers["allow"]) == (405, "method_not_allowed", "GET")


@everywhere
def test_a_path_without_its_last_slash_is_answered_as_with_it(stack: Stack) -> None:
    assert stack.http.post("/api/drawing", json={"drawing": data_url(encode(draw(2)))}).json()["prediction"] == 2
    assert stack.http.post("/api/stop_training").json()["code"] == "not_in_progress"
    assert stack.http.get("/api/check_model_status").json().keys() == {"model_status"}
    assert stack.http.get("/api/runs?page_size=1").json()["count"] > 0
    assert '"event": "close"' in stack.http.get("/api/progress").text
    foreign = stack.http.get("/api/progress", headers={"Origin": "http://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "bad_origin")
    assert stack.http.post("/api/nothing").status_code == 404
    with connect(stack.ws_url.removesuffix("/")) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"


@pytest.mark.postgres
def test_a_completed_run_is_in_the_history_and_does_not_serve_by_itself(stack: Stack) -> None:
    before = stack.http.post("/api/drawing/", json={"drawing": data_url(encode(draw(1)))}).json()["model"]
    number = stack.train(samples=600, epochs=2, batch_size=32, learning_rate=0.002, seed=5)
    run = stack.ended(number)
    assert run["status"] == "completed", run
    assert run["parameters"] == {
        "epochs": 2, "batch_size": 32, "learning_rate": 0.002, "samples": 600, "validation_samples": 0, "seed": 5,
        "activate": False,
    }  # fmt: skip
    assert [e["epoch"] for e in run["epochs"]] == [1, 2]
    assert all(e["loss"] > 0 and 0 < e["accuracy"] <= 1 and e["seconds"] > 0 for e in run["epochs"])
    assert run["epochs"][0]["val_loss"] is None
    assert run["requested_by"] == "anonymous"
    assert run["attempt"] == 1
    assert run["queued_at"] <= run["started_at"] <= run["finished_at"]
    counts = run["confusion"]
    assert [len(row) for row in counts] == [10] * 10
    assert sum(map(sum, counts)) == 10_000
    assert sum(counts[i][i] for i in range(10)) / 10_000 == pytest.approx(run["test_accuracy"])
    assert run["versions"]["numpy"]
    assert run["in_service"] is False
    assert stack.http.get("/api/model_accuracy/").json() == {"accuracy": run["test_accuracy"]}
    after = stack.http.post("/api/drawing/", json={"drawing": data_url(encode(draw(1)))}).json()["model"]
    assert after == before != run["model"]


def test_a_worse_model_is_not_put_into_service_though_asked(stack: Stack) -> None:
    run = stack.ended(stack.train(samples=64, epochs=1, activate=True))
    assert run["status"] == "completed"
    assert run["in_service"] is False


@everywhere
def test_health_and_readiness(stack: Stack) -> None:
    assert stack.http.get("/healthz").json() == {"status": "ok"}
    assert stack.http.get("/readyz").json() == {
        "status": "ready",
        "checks": {"database": True, "redis": True, "model": True},
    }


@everywhere
def test_a_chunked_body_is_read_and_bounded(stack: Stack) -> None:
    """A body without Content-Length, which a parser that trusts the header would take for empty."""
    drawing = json.dumps({"drawing": data_url(encode(draw(6)))}).encode()
    kind = {"Content-Type": "application/json"}
    pieces = (drawing[i : i + 1000] for i in range(0, len(drawing), 1000))
    assert stack.http.post("/api/drawing/", content=pieces, headers=kind).json()["prediction"] == 6
    flood = (b"x" * 65_536 for _ in range(64))
    refusal = stack.http.post("/api/drawing/", content=flood, headers=kind)
    assert (refusal.status_code, refusal.json()["code"]) == (413, "payload_too_large")
    assert stack.http.get("/healthz").status_code == 200
