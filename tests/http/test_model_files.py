"""A model's files in caches: known by what they hold, never by the model's number."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from recognition import registry
from recognition.models import ModelVersion
from recognition.prediction import classifier
from tests.support.browser import keep_pages, launch_chromium, watch_visits  # noqa: F401
from tests.support.constant_models import constant_model, predicted_now
from tests.support.page import SCRIBBLE, answer, draw


@pytest.mark.django_db
def test_a_file_is_kept_by_a_cache_until_another_model_has_its_number(client: Client, shipped: None) -> None:
    model = ModelVersion.objects.get()
    paths = [f"/api/models/{model.pk}/{kind}/" for kind in ("onnx", "keras", "filters", "dense")]
    tags = {path: client.get(path)["ETag"] for path in paths}
    assert len(set(tags.values())) == len(paths)
    for path, tag in tags.items():
        assert client.get(path)["Cache-Control"] == "public, no-cache"
        assert model.sha256 in tag
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert (again["ETag"], again["Cache-Control"]) == (tag, "public, no-cache")
    ModelVersion.objects.update(sha256="0" * 64)
    for path, tag in tags.items():
        assert client.get(path, headers={"If-None-Match": tag}).status_code != 304


@pytest.mark.django_db
def test_a_process_notices_another_model_under_the_number_it_has_loaded(shipped: None) -> None:
    model = ModelVersion.objects.get()
    classifier.in_service()
    other = registry.publish(constant_model(3), test_accuracy=0.5)
    ModelVersion.objects.filter(pk=other.pk).update(sha256="0" * 64)
    ModelVersion.objects.filter(pk=model.pk).update(sha256=other.sha256, size=other.size, file=other.file.name)
    classifier._in_service._checked_at = float("-inf")  # as half a second later
    assert predicted_now() == 3


@pytest.mark.browser
def test_the_page_asks_again_whether_the_filters_it_holds_are_still_the_models(visits):
    page = visits.prepare(clock=True)
    asked = []
    page.on("request", lambda request: request.url.endswith("/filters/") and asked.append(request))
    page.goto(visits.url)
    page.get_by_text("What the network does").click()
    draw(page)
    expect(page.get_by_role("status", name="Feature maps")).to_contain_text("with the weights of model")
    with page.expect_response("**/filters/") as again:  # perhaps for the first stroke's last answer, if that is late
        page.clock.fast_forward(120_000)
        draw(page, SCRIBBLE)
    assert again.value.status in {200, 304}
    expect(answer(page)).to_contain_text("sure")
    assert len(asked) == 2
