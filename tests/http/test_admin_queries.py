"""An admin page costs as many queries with many rows as with few, and shows a bounded number of them."""

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
TOKENS = "/admin/accounts/accesstoken/"


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


def paths() -> list[str]:
    """The front page, every list, and the pages of one object each."""
    run, model, user = (
        TrainingRun.objects.earliest("pk"),
        ModelVersion.objects.get(),
        User.objects.get(username="admin"),
    )
    token, users = f"{TOKENS}{AccessToken.objects.earliest('pk').pk}/change/", "/admin/auth/user/"
    objects = [f"{RUNS}{run.pk}/", f"{MODELS}{model.pk}/", f"{users}{user.pk}/"]
    pages = [f"{path}{page}/" for path in objects for page in ("change", "history")]
    return ["/admin/", RUNS, MODELS, TOKENS, users, "/admin/auth/group/", token, *pages, f"{users}{user.pk}/delete/"]


def queries(client: Client) -> dict[str, int]:
    counts = {}
    for path in paths():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200, path
        counts[path] = len(captured)
    return counts


def test_a_page_costs_no_more_with_many_rows(client: Client) -> None:
    add(FEW)
    queries(client)  # what is asked once by a process, as content types
    few = queries(client)
    add(MANY)
    many = queries(client)
    assert {path: count for path, count in many.items() if count > few[path]} == {}


def test_a_models_page_shows_the_newest_times_it_was_put_into_service(client: Client) -> None:
    add(MANY)
    text = text_of(client.get(f"{MODELS}{ModelVersion.objects.get().pk}/change/"))
    assert f"Newest {ACTIVATIONS_SHOWN} of {MANY + 1} shown." in text
    newest = Activation.current()
    table = text.partition("Activations:")[2]
    assert str(newest.by) in table
    assert table.count("Rolled back") + table.count("Activated") == ACTIVATIONS_SHOWN
