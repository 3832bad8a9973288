"""An admin page costs as many queries with many rows as with few, and shows a bounded number of them."""

from collections.abc import Callable

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from digits_site.accounts.models import AccessToken
from recognition.admin import ACTIVATIONS_SHOWN
from recognition.models import Activation, ModelVersion
from tests.support.admin_pages import MODELS, RUNS, superuser_client, text_of  # noqa: F401
from tests.support.runs import make_run
from training.models import Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
FEW, MANY = 2, 40


def add(count: int) -> None:
    """Of everything that accumulates, each by an account of its own."""
    model = ModelVersion.objects.get()
    objects: list[Model] = [model, TrainingRun.objects.earliest("pk"), User.objects.get(username="admin")]
    types = ContentType.objects.get_for_models(*(type(one) for one in objects))
    for n in range(count):
        user = User.objects.create_user(f"user {User.objects.count()}")
        group = Group.objects.create(name=f"group {user.pk}")
        group.permissions.set(Permission.objects.all()[n % 5 : n % 5 + 3])
        user.groups.add(group)
        AccessToken.objects.create(user, name="a token", scopes=["stop"])
        Activation.objects.create(model=model, by=user, previous=Activation.current(), rollback=bool(n % 2))
        make_run(Status.COMPLETED, epochs=3, requested_by=user, model=model, test_accuracy=0.9)
        for one in objects:
            LogEntry.objects.create(
                user=user, content_type=types[type(one)], object_id=one.pk, action_flag=CHANGE, object_repr=str(one)
            )


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(path).status_code == 200, path
    return len(captured)


PATHS: dict[str, Callable[[], str]] = {
    "the front page": lambda: "/admin/",
    "runs": lambda: RUNS,
    "a run": lambda: f"{RUNS}{TrainingRun.objects.order_by('pk').first().pk}/change/",
    "a run's history": lambda: f"{RUNS}{TrainingRun.objects.order_by('pk').first().pk}/history/",
    "models": lambda: MODELS,
    "a model": lambda: f"{MODELS}{ModelVersion.objects.get().pk}/change/",
    "a model's history": lambda: f"{MODELS}{ModelVersion.objects.get().pk}/history/",
    "tokens": lambda: "/admin/accounts/accesstoken/",
    "a token": lambda: f"/admin/accounts/accesstoken/{AccessToken.objects.order_by('pk').first().pk}/change/",
    "users": lambda: "/admin/auth/user/",
    "a user": lambda: f"/admin/auth/user/{User.objects.get(username='admin').pk}/change/",
    "a user's history": lambda: f"/admin/auth/user/{User.objects.get(username='admin').pk}/history/",
    "deleting a user": lambda: f"/admin/auth/user/{User.objects.get(username='admin').pk}/delete/",
    "groups": lambda: "/admin/auth/group/",
}


@pytest.mark.parametrize("page", PATHS)
def test_a_page_costs_no_more_with_many_rows(client: Client, page: str) -> None:
    add(FEW)
    few = queries(client, PATHS[page]())
    add(MANY)
    assert queries(client, PATHS[page]()) <= few


def test_a_models_page_shows_the_newest_times_it_was_put_into_service(client: Client) -> None:
    add(MANY)
    text = text_of(client.get(PATHS["a model"]()))
    assert f"Newest {ACTIVATIONS_SHOWN} of {MANY + 1} shown." in text
    newest = Activation.current()
    table = text.partition("Activations:")[2]
    assert str(newest.by) in table
    assert table.count("Rolled back") + table.count("Activated") == ACTIVATIONS_SHOWN
