"""A run hit by something: it ends in the right state, with every finished epoch kept."""

import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import httpx
import pytest

from digits_site.checks import MIN_LOST_SECONDS
from tests.support.drawings import data_url, draw, encode
from tests.support.retries import in_time
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually, running
from tests.support.watcher import Watcher

# On PostgreSQL too: what follows from rows that two processes want.
pytestmark = pytest.mark.stack
EPOCHS = 12  # four seconds
LONG = {"samples": 1200, "epochs": EPOCHS, "batch_size": 16, "seed": 3}
SMALL = {"samples": 64, "epochs": 1}


@pytest.fixture(scope="module")
def module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    mnist = copytree(ROOT / "training" / "data" / "mnist", tmp_path_factory.mktemp("data") / "mnist")
    changed = {"RUN_LOST_SECONDS": str(MIN_LOST_SECONDS), "MNIST_DIR": str(mnist)}
    full_disk = {"DJANGO_SETTINGS_MODULE": "tests.support.full_disk"}
    with running(tmp_path_factory.mktemp("frail"), **changed, **full_disk) as stack:
        yield stack


@pytest.fixture
def frail(module_stack: Stack) -> Iterator[Stack]:
    """The running product, which soon takes a run for lost; its disk can be full, and its dataset altered."""
    yield from module_stack.whole_and_idle()


def epochs(run: dict) -> list[int]:
    return [epoch["epoch"] for epoch in run["epochs"]]


@pytest.mark.postgres
def test_a_killed_training_process_is_replaced_and_the_run_completes(stack: Stack) -> None:
    viewer = Watcher(stack.ws_url)
    run = stack.train(**LONG)
    stack.begun(run, 2)
    stack.training_child().kill()
    ended = stack.ended(run)
    assert (ended["status"], ended["attempt"]) == ("completed", 2), ended
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == epochs(ended) == list(range(1, EPOCHS + 1)), "none twice, though two processes trained"


def test_a_killed_web_process_takes_no_run_with_it(stack: Stack) -> None:
    run = stack.train(**LONG)
    stack.begun(run)
    stack.kill("web")
    stack.start_web()
    viewer = Watcher(stack.ws_url)
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, EPOCHS + 1))
    assert stack.run(run)["attempt"] == 1


def test_a_training_process_killed_three_times_is_an_error(stack: Stack) -> None:
    run = stack.train(**LONG)
    for attempt in (1, 2, 3):
        eventually(lambda a=attempt: stack.run(run)["attempt"] == a, PATIENCE_SECONDS, f"attempt {attempt}")
        stack.training_child().kill()
    ended = stack.ended(run)
    assert (ended["status"], ended["error_code"]) == ("error", "worker_lost")
    assert ended["error"]


def take_up(frail: Stack) -> float:
    """Seconds until another worker took up the run of one that was killed."""
    frail.idle()
    run = frail.train(**LONG | {"epochs": 100})
    (frail.folder / "another.log").unlink(missing_ok=True)  # of an earlier attempt
    frail.launch_worker("another")
    eventually(lambda: " ready." in frail.log("another"), PATIENCE_SECONDS, "the other worker")
    frail.begun(run, 2)
    child = frail.training_child()
    frail.kill("worker")
    frail.processes["worker"] = frail.processes.pop("another")
    child.wait(5)  # the broken pipe ends it: it must not go on for nobody
    began, before = time.monotonic(), frail.run(run)["epochs"]
    eventually(lambda: frail.run(run)["attempt"] == 2, PATIENCE_SECONDS, "the second attempt")
    seconds = time.monotonic() - began
    frail.begun(run, len(before) + 1)
    resumed = frail.run(run)
    assert resumed["epochs"][: len(before)] == before, "what was finished is kept"
    assert epochs(resumed) == list(range(1, len(resumed["epochs"]) + 1))
    return seconds


@pytest.mark.postgres
def test_another_worker_takes_up_the_run_of_a_killed_one(frail: Stack) -> None:
    in_time(lambda: take_up(frail), 2 * MIN_LOST_SECONDS + 1)


def lose(frail: Stack) -> float:
    """Seconds until a run was lost whose worker is silent; it writes nothing when it wakes."""
    run = frail.train(**LONG | {"epochs": 60})
    frail.begun(run)
    child = frail.training_child()
    frail.pause("worker")
    silent = time.monotonic()
    ended = frail.ended(run)
    seconds = time.monotonic() - silent
    assert (ended["status"], ended["error_code"]) == ("error", "worker_lost")
    assert ended["epochs"]
    frail.kill("worker", signal.SIGCONT)
    child.wait(15)  # the worker learns that the run is not its own, and ends what it started
    assert frail.run(run) == ended
    assert frail.ended(frail.train(**SMALL))["status"] == "completed", "the service goes on"
    return seconds


@pytest.mark.postgres
def test_a_worker_that_stays_silent_loses_its_run_and_writes_nothing_when_it_wakes(frail: Stack) -> None:
    """By default half a minute after the last heartbeat."""
    in_time(lambda: lose(frail), 2 * MIN_LOST_SECONDS + 1)


def hand_back(stack: Stack) -> float:
    """Seconds that a worker took to stop, which handed its run back."""
    run = stack.train(**LONG)
    stack.begun(run)
    began = time.monotonic()
    stack.kill("worker", signal.SIGTERM)
    seconds = time.monotonic() - began
    assert stack.run(run)["status"] == "queued"
    stack.start_worker()
    ended = stack.ended(run)
    if ended["error_code"] == "worker_lost":  # no worker took it up for GIVEN_UP_SECONDS: this one was slow to start
        return math.inf
    assert (ended["status"], ended["attempt"]) == ("completed", 2)
    return seconds


@pytest.mark.postgres
def test_a_worker_that_is_told_to_stop_hands_its_run_back(stack: Stack) -> None:
    in_time(lambda: hand_back(stack), 8)


@pytest.mark.postgres
def test_a_run_waits_for_a_worker_and_is_stopped_at_once_while_it_waits(frail: Stack) -> None:
    frail.pause("worker")
    run = frail.train(**SMALL)
    assert frail.run(run)["status"] == "queued"
    assert frail.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert frail.http.post("/api/stop_training/", json={"run": run + 1}).json()["code"] == "run_mismatch"
    asked = time.monotonic()
    assert frail.http.post("/api/stop_training/", json={"run": run}).status_code == 200
    stopped = frail.run(run)
    assert time.monotonic() - asked < 4, "no watchdog had to end it"
    assert (stopped["status"], stopped["started_at"]) == ("interrupted", None)
    second = frail.train(**SMALL)
    frail.kill("worker", signal.SIGCONT)
    assert frail.ended(second)["status"] == "completed"
    assert frail.run(run) == stopped, "the message of the stopped run found nothing to claim"


def test_no_broker_is_503_and_a_message_that_is_lost_with_redis_is_sent_again(frail: Stack) -> None:
    frail.pause("worker")
    frail.kill("redis")
    answer = frail.http.post("/api/retrain_model/")
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")
    run = frail.run(answer.json()["run"])
    assert (run["status"], run["error_code"]) == ("error", "queue_unavailable"), "it is not active"
    frail.start_redis()
    asked = lambda: (a := frail.http.post("/api/retrain_model/", json=SMALL)).status_code == 202 and a  # noqa: E731
    run = eventually(asked, 20).json()["run"]
    frail.kill("redis")
    frail.start_redis()
    frail.kill("worker", signal.SIGCONT)
    assert frail.ended(run)["status"] == "completed"


def test_an_operator_works_on_while_redis_is_away(frail: Stack) -> None:
    create = "from django.contrib.auth.models import User; User.objects.create_superuser('ada', password='Wn7!pqLx')"
    frail.manage("shell", "--verbosity", "0", "-c", create)
    with httpx.Client(base_url=frail.url, timeout=30) as admin:

        def log_in() -> int:
            admin.get("/admin/login/")
            data = {"username": "ada", "password": "Wn7!pqLx", "csrfmiddlewaretoken": admin.cookies["csrftoken"]}
            return admin.post("/admin/login/?next=/admin/", data=data).status_code

        assert log_in() == 302
        frail.pause("worker")  # Celery waits longer and longer between two looks for Redis
        frail.kill("redis")
        for path in ("/admin/", "/admin/training/trainingrun/", "/api/runs/", "/api/check_model_status/"):
            assert admin.get(path).status_code == 200, path
        admin.cookies.delete("sessionid")
        assert log_in() == 302, "a fresh login"
        assert admin.get("/admin/").status_code == 200
        token = {"X-CSRFToken": admin.cookies["csrftoken"]}
        assert admin.post("/api/stop_training/", headers=token).json()["code"] == "not_in_progress"
        assert admin.post("/api/retrain_model/", headers=token).json()["code"] == "queue_unavailable"


def test_a_run_that_fails_says_why_and_leaves_the_model_in_service(frail: Stack) -> None:
    """Its loss becomes NaN, the dataset is altered or missing, the disk is full; and then nothing is amiss."""

    def failed(run: int) -> tuple[str, str]:
        ended = frail.ended(run)
        assert (ended["status"], ended["model"]) == ("error", None), ended
        return ended["error_code"], ended["error"]

    in_service = frail.http.get("/api/model_accuracy/").json(), frail.http.get("/api/models/").json()
    files = {file.name for file in (frail.folder / "models").iterdir()}
    # No parameter that a request may carry diverges, so that run is asked for below the validation.
    parameters = {"epochs": 1, "batch_size": 16, "learning_rate": 1e38, "samples": 64, "seed": 1, "activate": True}
    code = (
        f"from training import services; print(services.request_run(services.RunRequest('original', {parameters})).pk)"
    )
    assert failed(int(frail.manage("shell", "--verbosity", "0", "-c", code)))[0] == "diverged"

    full = frail.folder / "disk is full"
    full.touch()
    assert failed(frail.train(**SMALL, activate=True))[0] == "no_space"
    full.unlink()
    assert {file.name for file in (frail.folder / "models").iterdir()} == files, "nothing torn stays behind"

    labels = Path(frail.environment["MNIST_DIR"]) / "train-labels-idx1-ubyte.gz"
    content = labels.read_bytes()
    labels.write_bytes(content[:-100])
    code, error = failed(frail.train(**SMALL))
    assert (code, "train-labels" in error) == ("dataset", True)
    labels.unlink()
    assert failed(frail.train(**SMALL))[0] == "dataset"
    labels.write_bytes(content)

    assert (frail.http.get("/api/model_accuracy/").json(), frail.http.get("/api/models/").json()) == in_service
    assert frail.http.post("/api/drawing/", json={"drawing": data_url(encode(draw(7)))}).json()["prediction"] == 7
    assert frail.ended(frail.train(**SMALL))["status"] == "completed"
