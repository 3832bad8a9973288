"""The window that shows what the network does: the arithmetic against ONNX Runtime, and the page against the hand."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from django.test import Client
from playwright.sync_api import expect

from recognition import registry
from recognition.models import ModelVersion
from tests.support.browser import check_accessibility, module_url, settle
from tests.support.constant_models import constant_model
from tests.support.page import SCRIBBLE, answer, draw
from training import shipping
from training.learner import dataset


def expected(digit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ONNX Runtime finds in the shipped model after each convolution and ReLU: [32, 24, 24] and [64, 8, 8]."""
    model = onnx.load(shipping.MODEL_FILE)
    names = [node.output[0] for node in model.graph.node if node.op_type == "Conv"]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    first, second = session.run(names, {session.get_inputs()[0].name: digit.reshape(1, 28, 28, 1)})
    return np.maximum(first[0], 0), np.maximum(second[0], 0)


def some_digit() -> np.ndarray:
    return dataset.load(shipping.FOLDER.parent / "mnist", "t10k").images[7].reshape(28, 28)


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "floats"), [("filters", 32 * 26 + 64 * (32 * 25 + 1)), ("dense", 1025 * 128 + 1290)])
def test_weights_are_sent_if_the_file_is_whole_and_of_that_shape(
    client: Client, shipped: None, kind: str, floats: int
) -> None:
    model = ModelVersion.objects.get()
    told = client.get(f"/api/models/{model.pk}/{kind}/")
    assert told.status_code == 200
    assert len(told.content) == 4 * floats
    other = registry.publish(constant_model(3), test_accuracy=0.5)
    ModelVersion.objects.filter(pk=model.pk).update(sha256="0" * 64)
    for number, *refusal in [(other.pk, 404, "no_file"), (999, 404, "not_found"), (model.pk, 409, "model_rejected")]:
        told = client.get(f"/api/models/{number}/{kind}/")
        assert [told.status_code, told.json()["code"]] == refusal


COMPUTE = """async ([url, picture]) => {
  const { computeFeatureMaps, parseFilters } = await import(url);
  const response = await fetch("/api/models/1/filters/");
  const maps = computeFeatureMaps(Float32Array.from(picture), parseFilters(await response.arrayBuffer()));
  return JSON.stringify([[...maps.first], [...maps.second]]);
}"""


@pytest.mark.browser
def test_the_page_works_out_what_the_network_works_out(visits):
    page = visits.open()
    digit = some_digit()
    found = page.evaluate(COMPUTE, [module_url(page, "network/convolution"), digit.ravel().tolist()])
    first, second = (np.array(values) for values in json.loads(found))
    wanted_first, wanted_second = expected(digit)
    np.testing.assert_allclose(first.reshape(32, 24, 24), wanted_first, atol=1e-4)
    np.testing.assert_allclose(second.reshape(64, 8, 8), wanted_second, atol=1e-3)


def tiles(page, layer):
    return page.locator(f"[data-network-{layer}] [data-tiles]")


def words(page):
    return page.get_by_role("status", name="Feature map")


def draw_more(page):
    """Add a scribble to what is drawn, and wait for its feature maps."""
    before = tiles(page, "second").evaluate("canvas => canvas.toDataURL()")
    draw(page, SCRIBBLE)
    arguments = [tiles(page, "second").element_handle(), before]
    page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=arguments)


@pytest.mark.browser
def test_the_maps_follow_the_drawing_and_nothing_is_loaded_before_they_are_opened(visits):
    page = visits.prepare()
    asked = []
    page.on("request", lambda request: request.url.endswith("/filters/") and asked.append(request.url))
    page.goto(visits.url)
    module_url(page, "network/panel")
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    settle(page)
    assert asked == []
    page.get_by_text("What the network does").click()
    expect(words(page)).to_have_text("Select a tile to enlarge it.")
    draw_more(page)
    expect(words(page)).to_have_text("Select a tile to enlarge it.")
    assert len(asked) == 1, "once for each model"
    page.get_by_role("button", name="Clear").click()
    expect(words(page)).to_have_text("Draw a digit to see its feature maps.")


@pytest.mark.browser
def test_a_tile_is_chosen_by_keyboard_and_told(visits):
    page = visits.open(width=390)
    page.get_by_text("What the network does").click()
    draw(page)
    expect(words(page)).to_have_text("Select a tile to enlarge it.")
    tiles(page, "first").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_contain_text("Filter 9 of the first convolution")
    expect(page.locator("[data-network-first] [data-large]")).to_be_visible()
    draw_more(page)
    expect(words(page)).to_contain_text("Filter 9 of the first convolution")
    expect(answer(page)).to_contain_text("sure")
    check_accessibility(page, 390, context=".network")


@pytest.mark.browser
def test_without_filters_the_window_says_so_and_tries_again(visits):
    page = visits.prepare(expected=["status of 503"])
    page.route("**/filters/", lambda route: route.fulfill(status=503, body="{}"))
    page.goto(visits.url)
    page.get_by_text("What the network does").click()
    draw(page)
    expect(words(page)).to_contain_text("could not be loaded")
    page.unroute("**/filters/")
    draw(page, SCRIBBLE)
    expect(words(page)).to_have_text("Select a tile to enlarge it.")
