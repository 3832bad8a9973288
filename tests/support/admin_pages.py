"""The admin as its user clicks through it: pages, menus and confirmation pages."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import ModelVersion
from training.models import TrainingRun

RUNS, MODELS = "/admin/training/trainingrun/", "/admin/recognition/modelversion/"


@pytest.fixture(name="client")
def superuser_client(shipped: None) -> Client:
    """Signed in as "admin"; the shipped model is in service."""
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    return client


def text_of(answer: Any) -> str:
    """Return the words of a page, without its tags."""
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def hidden_fields(client: Client, url: str) -> dict[str, str]:
    """Open a confirmation page and return the hidden fields that its button sends."""
    html = client.get(url).content.decode()
    assert "cancel-link" in html
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def confirm(client: Client, url: str, **form: object) -> str:
    """Open a confirmation page and click its button; return the text of the page that follows."""
    return text_of(client.post(url, hidden_fields(client, url) | form, follow=True))


def act(client: Client, row: TrainingRun | ModelVersion, action: str, **form: object) -> str:
    """Choose an action from the list's menu and confirm it; return the text of the page that follows."""
    base = RUNS if isinstance(row, TrainingRun) else MODELS
    asked = client.post(base, {"action": action, "_selected_action": row.pk})
    assert asked.status_code == 302, "the question is a page of its own"
    return confirm(client, asked.url, **form)
