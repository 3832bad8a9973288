"""Two connections to PostgreSQL want the same row at the same moment. SQLite lets one transaction write at a time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from digits_site.web.errors import StateChanged
from recognition import registry
from recognition.models import Activation
from tests.support.admin_pages import MODELS, hidden_fields
from tests.support.constant_models import constant_model, publish_constant_model
from tests.support.runs import PARAMETERS
from tests.support.stack import eventually
from training.learner.checkpoints import prepare_attempt
from training.models import Status, TrainingRun
from training.worker import runner

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("postgres" not in settings.DATABASES["default"]["ENGINE"], reason="run with make test-postgres"),
]
AT_ONCE = 6


def disconnecting(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call` for a thread of its own, which must not keep its connection."""

    def called(*given: Any) -> Any:
        try:
            return call(*given)
        finally:
            connection.close()

    return called


def meanwhile(call: Callable[[], Any], change: Callable[[], Any]) -> Any:
    """The result of `call`, which comes upon a row that the uncommitted `change` has locked, and waits for it."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            calling = pool.submit(disconnecting(call))
            eventually(lambda: waits() or calling.done(), 10, "the other connection")
            assert not calling.done(), "it did not wait"
        return calling.result(20)


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_model_does_not_replace_a_better_one_that_is_activated_meanwhile(shipped: None, tmp_path: Path) -> None:
    """Better than what serves when its run ends, worse than what serves when it is its turn."""
    registry.activate(publish_constant_model(1))
    better = publish_constant_model(9)
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS | {"activate": True})
    assert run.claim("worker")
    config = prepare_attempt(runner.config_of(run, tmp_path), 0)
    config.model_file.write_bytes(constant_model(5))
    config.keras_file.write_bytes(b"the same in Keras")
    result: Any = {
        "type": "result",
        "test_accuracy": 0.5,
        "temperature": 1.0,
        "uncertain_below": None,
        "calibration_error": 0.1,
        "confusion": None,
        "versions": {},
        "predictions": {"predicted": b"", "confidence": b""},
    }
    told: list[dict[str, Any]] = []
    progress: Any = SimpleNamespace(run=run, broadcast=told.append)
    meanwhile(lambda: runner.publish_and_complete(progress, config, result, {}), lambda: registry.activate(better))
    assert Activation.current_model_id() == better.pk
    assert TrainingRun.objects.get(pk=run.pk).status == Status.COMPLETED
    assert [values["in_service"] for values in told] == [False]


def test_a_run_that_is_released_while_it_is_stopped_is_stopped() -> None:
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS)
    assert run.claim("worker")
    answer = meanwhile(
        lambda: Client(HTTP_HOST="localhost").post("/api/stop_training/"),
        lambda: TrainingRun.objects.get(pk=run.pk).requeue_or_end(),
    )
    assert (answer.status_code, answer.json().get("run")) == (200, run.pk)
    assert TrainingRun.objects.get(pk=run.pk).status == Status.INTERRUPTED


def test_a_roll_back_that_waited_for_an_activation_is_refused(shipped: None) -> None:
    registry.activate(publish_constant_model(1))
    current = Activation.current()

    def roll_back() -> None:
        with pytest.raises(StateChanged):
            registry.roll_back(expected=current.pk)

    meanwhile(roll_back, lambda: registry.activate(publish_constant_model(2)))
    assert Activation.current().model.test_accuracy == pytest.approx(0.2)


def test_many_clicks_at_once_roll_back_once(shipped: None) -> None:
    for digit in range(1, 8):
        registry.activate(publish_constant_model(digit))
    admin = User.objects.create_superuser("admin", password="a long enough password")
    clients = [Client(HTTP_HOST="localhost") for _ in range(AT_ONCE)]
    for client in clients:
        client.force_login(admin)
    fields, before = hidden_fields(clients[0], f"{MODELS}roll-back/"), Activation.objects.count()
    barrier = Barrier(AT_ONCE)

    def click(client: Client) -> int:
        barrier.wait(20)
        return client.post(f"{MODELS}roll-back/", fields).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        clicks: list[Future[int]] = [pool.submit(disconnecting(click), client) for client in clients]
        statuses = sorted(future.result(60) for future in clicks)
    assert Activation.objects.count() == before + 1
    assert statuses == [200] * (AT_ONCE - 1) + [302]
