"""The database that is asked, and the callers: their accounts, sessions and tokens."""

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from digits_site.accounts.models import SCOPES, AccessToken
from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.publishing import send_test
from recognition import registry
from recognition.models import Activation, Correction, ModelVersion
from recognition.prediction import classifier
from tests.support.access.table import NONE, Row
from tests.support.constant_models import constant_model
from tests.support.corrections import pending_correction
from training import shipping
from training.models import RunCorrections, Status, TrainingRun

CSRF = "c" * 32
PARAMETERS = {"epochs": 1, "batch_size": 64, "learning_rate": 0.005, "samples": 1000, "seed": 1, "activate": False}
WATCHED = {
    Group: ("pk", "name"),
    User: ("pk", "username", "password", "is_staff", "is_superuser"),
    AccessToken: ("pk",),
    TrainingRun: ("pk", "status", "stop_requested_at", "name"),
    ModelVersion: ("pk",),
    Activation: ("pk",),
    Correction: ("pk", "state", "label"),
    WebhookEndpoint: ("pk", "url", "encrypted_secret"),
    WebhookDelivery: ("pk", "status"),
}


class World:
    """One of everything. The model of the shipped run does not serve: another does, put there after it."""

    def __init__(self) -> None:
        classifier.forget()
        first = shipping.install()
        second = registry.publish(constant_model(3), test_accuracy=0.5)
        registry.activate(second)
        registry.compare(second, first, [])
        TrainingRun.objects.update(base=second, checkpoint="checkpoints/1-ab/epoch-0001.keras")
        holder, victim = (User.objects.create_user(name) for name in ("holder", "victim"))
        token, _ = AccessToken.objects.create(holder, name="theirs", scopes=["stop"])
        run = TrainingRun.objects.get()
        RunCorrections.objects.create(run=run, count=7, held_out=3, sha256="0" * 64, entries=[], pictures=b"")
        group, kind = Group.objects.create(name="night shift"), ContentType.objects.get_for_model(TrainingRun)
        self.objects = {"accesstoken": token.pk, "user": victim.pk, "group": group.pk, "type": kind.pk}
        self.objects["correction"] = pending_correction().pk
        endpoint = WebhookEndpoint.objects.create(url="https://1.1.1.1/", events=["run.error"])
        delivery = send_test(endpoint)
        WebhookDelivery.objects.update(status="failed")
        self.objects |= {"webhookendpoint": endpoint.pk, "webhookdelivery": delivery.pk}
        self.objects |= {"model": first.pk, "run": run.pk, "/r/": run.pk}
        failed = TrainingRun.objects.create(preset="fast", parameters=PARAMETERS, status=Status.ERROR)
        self.deletable = {"model": registry.publish(constant_model(4), test_accuracy=0.4).pk, "run": failed.pk}
        for name in ("account", "session", "secret"):  # callers of the same kind are the same caller
            setattr(self, name, cache(getattr(self, name)))

    def with_active_run(self, by_visitor: bool) -> dict[str, int]:
        """The objects, an active run being the run."""
        facts = {"preset": "fast", "parameters": PARAMETERS, "status": Status.QUEUED, "by_visitor": by_visitor}
        return self.objects | {"run": TrainingRun.objects.create(**facts).pk}

    def state(self) -> list[Any]:
        """What an act can change."""
        return [list(model.objects.order_by("pk").values_list(*fields)) for model, fields in WATCHED.items()]

    def account(self, permissions: frozenset[str]) -> User:
        user = User.objects.create_user(f"staff{User.objects.count()}", is_staff=True)
        user.user_permissions.set(p for p in every_permission() if name_of(p) in permissions)
        return user

    def session(self, permissions: frozenset[str]) -> str:
        """What the cookie of somebody who has signed in holds."""
        client = Client()
        client.force_login(self.account(permissions))
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def secret(self, permissions: frozenset[str], scopes: frozenset[str]) -> str:
        token = AccessToken.objects.create(self.account(permissions), name="a test", scopes=sorted(scopes))
        return token[1]


@cache
def every_permission() -> list[Permission]:
    return list(Permission.objects.select_related("content_type"))


def name_of(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def permissions(row: Row, having: bool) -> frozenset[str]:
    """Just what the row needs, or all but that: of `a or b` a is enough, and without both; of `a and b` a is missing.

    `app.*` is any permission of that app. A row that needs nothing is asked by those who may do everything, and by
    those who may do nothing.
    """
    every = frozenset(map(name_of, every_permission()))
    if row.permission == NONE:
        return every if having else frozenset()
    if row.permission.endswith(".*"):
        of_app = frozenset(name for name in every if name.startswith(row.permission[:-1]))
        return of_app if having else every - of_app
    needed = row.permission.replace(" or ", " and ").split(" and ")
    assert set(needed) <= every, f"access_matrix.txt, {row}: no such permission: {row.permission}"
    if having:
        return frozenset(needed if " and " in row.permission else needed[:1])
    return every - frozenset(needed[:1] if " and " in row.permission else needed)


def scopes(row: Row, having: bool) -> frozenset[str]:
    """Just the row's scope, or every other; where it needs none, all or none."""
    if row.scope == NONE:
        return frozenset(SCOPES if having else ())
    assert row.scope in SCOPES, f"access_matrix.txt, {row}: no such scope: {row.scope}"
    return frozenset([row.scope]) if having else frozenset(SCOPES) - {row.scope}
