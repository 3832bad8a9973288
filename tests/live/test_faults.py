"""A run hit by something: it ends in the right state, with every finished epoch kept."""

import signal
import time
from pathlib import Path

import pytest

from tests.support.drawings import data_url, draw, encode
from tests.support.stack import HASTY_SECONDS, Stack, eventually, running
from tests.support.watcher import Watcher

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
EPOCHS = 6
LONG = {"samples": 1500, "epochs": EPOCHS, "batch_size": 16, "seed": 3}


def test_a_killed_training_process_is_replaced_and_the_run_completes(stack: Stack) -> None:
    viewer = Watcher(stack.ws_url)
    run = stack.train(**LONG)
    stack.begun(run, 2)
    stack.training_child().kill()
    ended = stack.ended(run)
    assert (ended["status"], ended["attempt"]) == ("completed", 2), ended
    assert [e["epoch"] for e in ended["epochs"]] == list(range(1, EPOCHS + 1))
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, EPOCHS + 1)), "no epoch twice though two processes trained"


def test_a_training_process_killed_three_times_is_an_error(stack: Stack) -> None:
    run = stack.train(**LONG)
    for attempt in (1, 2, 3):
        eventually(lambda a=attempt: stack.run(run)["attempt"] == a, 30, f"attempt {attempt}")
        eventually(lambda: _child(stack), 10, "the training process").kill()
    ended = stack.ended(run)
    assert (ended["status"], ended["error_code"]) == ("error", "worker_lost")
    assert ended["error"]


def _child(stack: Stack):
    try:
        return stack.training_child()
    except StopIteration:
        return None


def test_a_killed_worker_that_comes_back_takes_the_run_up_again(hasty_stack: Stack) -> None:
    run = hasty_stack.train(**LONG)
    hasty_stack.begun(run, 2)
    child = hasty_stack.training_child()
    hasty_stack.kill("worker")
    child.wait(5)  # the broken pipe ends it: it must not go on for nobody
    killed = time.monotonic()
    before = hasty_stack.run(run)["epochs"]
    hasty_stack.start_worker()
    eventually(lambda: hasty_stack.run(run)["attempt"] == 2, 30, "the second attempt")
    assert time.monotonic() - killed < 2 * HASTY_SECONDS + 10
    ended = hasty_stack.ended(run)
    assert ended["status"] == "completed"
    assert ended["epochs"][: len(before)] == before, "what was finished is kept"
    assert [e["epoch"] for e in ended["epochs"]] == list(range(1, EPOCHS + 1))


def test_a_killed_worker_that_stays_away_ends_the_run_as_an_error(hasty_stack: Stack) -> None:
    run = hasty_stack.train(**LONG)
    hasty_stack.begun(run)
    hasty_stack.kill("worker")
    killed = time.monotonic()
    ended = hasty_stack.ended(run, 40)
    assert time.monotonic() - killed < 2 * HASTY_SECONDS + 1, "by default half a minute after the last heartbeat"
    assert (ended["status"], ended["error_code"]) == ("error", "worker_lost")
    assert ended["epochs"]
    hasty_stack.start_worker()  # and the service goes on
    assert hasty_stack.ended(hasty_stack.train(samples=64, epochs=1))["status"] == "completed"


def test_a_sleeping_worker_writes_nothing_after_its_run_was_ended(hasty_stack: Stack) -> None:
    run = hasty_stack.train(**LONG | {"epochs": 60})
    hasty_stack.begun(run)
    child = hasty_stack.training_child()
    hasty_stack.kill("worker", signal.SIGSTOP)
    ended = hasty_stack.ended(run, 40)
    hasty_stack.kill("worker", signal.SIGCONT)
    child.wait(15)  # the worker learns that the run is not its own, and ends what it started
    assert hasty_stack.run(run) == ended


def test_a_worker_that_is_told_to_stop_hands_its_run_back(stack: Stack) -> None:
    run = stack.train(**LONG)
    stack.begun(run)
    began = time.monotonic()
    stack.kill("worker", signal.SIGTERM)
    assert time.monotonic() - began < 8
    assert stack.run(run)["status"] == "queued"
    stack.start_worker()
    ended = stack.ended(run)
    assert (ended["status"], ended["attempt"]) == ("completed", 2)


def test_a_run_waits_for_a_worker_and_can_be_stopped_while_it_waits(stack: Stack) -> None:
    stack.kill("worker")
    run = stack.train(samples=64, epochs=1)
    assert stack.run(run)["status"] == "queued"
    assert stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert stack.http.post("/api/stop_training/", json={"run": run + 1}).json()["code"] == "run_mismatch"
    assert stack.http.post("/api/stop_training/", json={"run": run}).status_code == 200
    stopped = stack.run(run)
    assert (stopped["status"], stopped["started_at"]) == ("interrupted", None)
    second = stack.train(samples=64, epochs=1)
    stack.start_worker()
    assert stack.ended(second)["status"] == "completed"
    assert stack.run(run) == stopped, "the message of the stopped run found nothing to claim"


def test_the_message_is_lost_with_redis_and_the_run_is_taken_all_the_same(stack: Stack) -> None:
    stack.kill("worker")
    run = stack.train(samples=64, epochs=1)
    stack.kill("redis")
    stack.start_redis()
    stack.start_worker()
    assert stack.ended(run)["status"] == "completed"


def test_no_broker_is_503_and_leaves_no_run_active(stack: Stack) -> None:
    stack.kill("redis")
    answer = stack.http.post("/api/retrain_model/")
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")
    run = stack.run(answer.json()["run"])
    assert (run["status"], run["error_code"]) == ("error", "queue_unavailable")
    stack.start_redis()
    small = {"samples": 64, "epochs": 1}
    asked = lambda: (a := stack.http.post("/api/retrain_model/", json=small)).status_code == 202 and a  # noqa: E731
    assert stack.ended(eventually(asked, 20).json()["run"])["status"] == "completed"


def test_an_operator_works_on_while_redis_is_away(own_stack: Stack) -> None:
    create = "from django.contrib.auth.models import User; User.objects.create_superuser('ada', password='Wn7!pqLx')"
    own_stack.manage("shell", "--verbosity", "0", "-c", create)
    admin = own_stack.http
    log_in = lambda: admin.post(  # noqa: E731
        "/admin/login/?next=/admin/",
        data={"username": "ada", "password": "Wn7!pqLx", "csrfmiddlewaretoken": admin.cookies["csrftoken"]},
    )
    admin.get("/admin/login/")
    assert log_in().status_code == 302
    own_stack.kill("redis")
    for path in ("/admin/", "/admin/training/trainingrun/", "/api/runs/", "/api/check_model_status/"):
        assert admin.get(path).status_code == 200, path
    admin.cookies.delete("sessionid")
    admin.get("/admin/login/")
    assert log_in().status_code == 302, "a fresh login"
    assert admin.get("/admin/").status_code == 200
    token = {"X-CSRFToken": admin.cookies["csrftoken"]}
    assert admin.post("/api/stop_training/", headers=token).json()["code"] == "not_in_progress"
    assert admin.post("/api/retrain_model/", headers=token).json()["code"] == "queue_unavailable"


def test_an_altered_or_missing_dataset_is_refused(tmp_path, own_stack: Stack) -> None:
    from shutil import copytree

    from tests.support.stack import ROOT

    altered = Path(copytree(ROOT / "training" / "data" / "mnist", tmp_path / "mnist"))
    file = altered / "train-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    own_stack.kill("worker", signal.SIGTERM)
    own_stack.environment["MNIST_DIR"] = str(altered)
    own_stack.start_worker()
    ended = own_stack.ended(own_stack.train(samples=64, epochs=1))
    assert (ended["status"], ended["error_code"]) == ("error", "dataset")
    assert "train-labels" in ended["error"]
    file.unlink()
    ended = own_stack.ended(own_stack.train(samples=64, epochs=1))
    assert (ended["status"], ended["error_code"]) == ("error", "dataset")


def test_a_disk_that_is_full_ends_the_run_and_leaves_the_model_in_service(tmp_path: Path) -> None:
    with running(tmp_path, DJANGO_SETTINGS_MODULE="tests.support.full_disk") as stack:
        before = {file.name for file in (tmp_path / "models").iterdir()}
        (tmp_path / "disk is full").touch()
        ended = stack.ended(stack.train(samples=64, epochs=1, activate=True))
        assert (ended["status"], ended["error_code"], ended["model"]) == ("error", "no_space", None)
        assert {file.name for file in (tmp_path / "models").iterdir()} == before, "nothing torn stays behind"
        assert stack.http.get("/api/models/").json()["count"] == 1
        assert stack.http.post("/api/drawing/", json={"drawing": data_url(encode(draw(7)))}).json()["prediction"] == 7
        (tmp_path / "disk is full").unlink()
        assert stack.ended(stack.train(samples=64, epochs=1))["status"] == "completed"


def test_a_killed_web_process_takes_no_run_with_it(stack: Stack) -> None:
    run = stack.train(**LONG)
    stack.begun(run)
    stack.kill("web")
    time.sleep(2)
    stack.start_web()
    viewer = Watcher(stack.ws_url)
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, EPOCHS + 1))
    assert stack.run(run)["attempt"] == 1
