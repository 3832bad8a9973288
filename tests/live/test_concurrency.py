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
from django.db import IntegrityError, connection, transaction
from django.test import Client

from digits_site.web.errors import StateChanged
from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.publishing import publish
from recognition import registry
from recognition.deletion import Plan, delete_planned, plan_models
from recognition.errors import ModelRejected
from recognition.models import Activation, ModelVersion
from tests.support.admin_pages import MODELS, hidden_fields
from tests.support.constant_models import constant_model, publish_constant_model
from tests.support.runs import PARAMETERS, claimed_run, make_run
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
# In this database: pg_locks shows what the tests of other processes wait for, too.
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


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
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])


def ending_run(folder: Path, activate: bool) -> tuple[TrainingRun, Callable[[], None], list[dict[str, Any]]]:
    """A run whose training process has ended with the constant model of 5, what completes it, and what it tells."""
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS | {"activate": activate})
    assert run.claim("worker")
    config = prepare_attempt(runner.config_of(run, folder), 0)
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
    progress: Any = SimpleNamespace(run=run, broadcast=told.append, finish=run.finish)
    return run, lambda: runner.publish_and_complete(progress, config, result, {}), told


def delete(*models: ModelVersion) -> None:
    delete_planned(lambda: plan_models([model.pk for model in models]))


def test_a_model_does_not_replace_a_better_one_that_is_activated_meanwhile(shipped: None, tmp_path: Path) -> None:
    """Better than what serves when its run ends, worse than what serves when it is its turn."""
    registry.activate(publish_constant_model(1))
    better = publish_constant_model(9)
    run, complete, told = ending_run(tmp_path, activate=True)
    meanwhile(complete, lambda: registry.activate(better))
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


def test_a_model_that_is_deleted_meanwhile_is_not_activated(shipped: None) -> None:
    serving, model = Activation.current_model_id(), publish_constant_model(1)

    def activate() -> None:
        with pytest.raises(ModelRejected, match="was deleted"):
            registry.activate(model)

    meanwhile(activate, lambda: delete(model))
    assert Activation.current_model_id() == serving


def test_a_model_that_is_activated_meanwhile_is_not_deleted(shipped: None) -> None:
    model = publish_constant_model(1)
    confirmed = plan_models([model.pk]).state

    def confirm() -> None:
        with pytest.raises(StateChanged):
            delete_planned(lambda: plan_models([model.pk]), confirmed)

    meanwhile(confirm, lambda: registry.activate(model))
    assert Activation.current_model_id() == model.pk
    assert model.file.storage.exists(model.file.name)


def test_who_waits_for_the_row_that_all_lock_locks_the_next_one_if_it_is_deleted() -> None:
    models = [publish_constant_model(digit) for digit in (1, 2, 3, 4)]
    for model in models[1:3]:
        registry.activate(model)

    def another_waits() -> bool:
        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            registry.lock_current()
            calling = pool.submit(disconnecting(registry.activate), models[3])
            eventually(lambda: waits() or calling.done(), 10, "the other connection")
            return not calling.done()

    assert meanwhile(another_waits, lambda: delete(models[0]))


def test_a_run_publishes_its_model_again_if_that_of_an_equal_run_is_deleted_meanwhile(
    shipped: None, tmp_path: Path
) -> None:
    """The same bytes are one version until then."""
    earlier = publish_constant_model(5)
    run, complete, told = ending_run(tmp_path, activate=False)
    meanwhile(complete, lambda: delete(earlier))
    run.refresh_from_db()
    assert (run.status, len(told)) == (Status.COMPLETED, 1)
    assert run.model.pk != earlier.pk
    assert run.model.file.storage.exists(run.model.file.name)


def test_no_run_begins_with_a_deleted_model_and_no_base_of_a_new_run_is_deleted(shipped: None) -> None:
    model = publish_constant_model(1)

    def begin() -> None:
        TrainingRun.objects.create(preset="adapt", parameters=PARAMETERS, base=model)

    def plan_too_early() -> Plan:
        plan = plan_models([model.pk])
        with ThreadPoolExecutor(1) as pool:
            pool.submit(disconnecting(begin)).result(20)
        return plan

    with pytest.raises(StateChanged):
        delete_planned(plan_too_early)
    assert ModelVersion.objects.filter(pk=model.pk).exists()
    TrainingRun.objects.active().delete()

    def begin_too_late() -> None:
        with pytest.raises(IntegrityError):  # after which create_run looks again at what is in service
            begin()

    meanwhile(begin_too_late, lambda: delete(model))


def test_two_runs_are_chosen_as_the_baseline_at_once() -> None:
    one, other = (make_run(Status.COMPLETED) for _ in range(2))
    choose = lambda run: Client(HTTP_HOST="localhost").patch(  # noqa: E731
        f"/api/runs/{run.pk}/", {"baseline": True}, content_type="application/json"
    )
    answer = meanwhile(lambda: choose(other), lambda: choose(one))
    assert answer.status_code == 200, answer.content
    assert list(TrainingRun.objects.filter(is_baseline=True)) == [other]


def test_a_run_ends_while_an_endpoint_that_is_told_of_it_is_deleted() -> None:
    endpoint, run = WebhookEndpoint.objects.create(url="http://127.0.0.1:9/", events=["run.error"]), claimed_run()
    meanwhile(lambda: run.finish(Status.ERROR), endpoint.delete)
    assert TrainingRun.objects.get(pk=run.pk).status == Status.ERROR
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("path", ["{}/delete/", ""])
def test_an_endpoint_is_deleted_with_the_delivery_that_it_gets_meanwhile(admin_client: Client, path: str) -> None:
    endpoint = WebhookEndpoint.objects.create(url="http://127.0.0.1:9/", events=["run.error"])
    form = {"post": "yes", "action": "delete_selected", "_selected_action": endpoint.pk}
    url = f"/admin/webhooks/webhookendpoint/{path.format(endpoint.pk)}"
    answer = meanwhile(lambda: admin_client.post(url, form), lambda: publish("run.error", {}))
    assert answer.status_code == 302
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()
