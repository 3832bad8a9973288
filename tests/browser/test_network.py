"""The panel that shows what the network does: the arithmetic against ONNX Runtime, and the page against the hand."""

import base64
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from django.test import Client
from PIL import Image
from playwright.sync_api import expect

from recognition import registry
from recognition.models import ModelVersion
from tests.support.browser import check_accessibility, module_url, settle
from tests.support.constant_models import constant_model
from tests.support.page import SCRIBBLE, answer, bars, draw
from training import shipping
from training.learner import dataset

DRAWN = "Computed in your browser with the weights of model 1."
EMPTY = "Draw a digit to see its way through the network."
PLAY_AND_PAUSE = """async (button) => {  // within a few frames: the first row takes two seconds
  button.click();
  for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
  const name = button.textContent;
  button.click();
  return name;
}"""


def expected(digit: np.ndarray) -> SimpleNamespace:
    """What ONNX Runtime finds in the shipped model: both convolutions and the 128 units after ReLU, and the logits."""
    model = onnx.load(shipping.MODEL_FILE)
    names = [node.output[0] for node in model.graph.node if node.op_type in {"Conv", "Add"}]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(names, {session.get_inputs()[0].name: digit.reshape(1, 28, 28, 1)})
    first, second, units = (np.maximum(values[0], 0) for values in found[:3])
    return SimpleNamespace(first=first, second=second, units=units, logits=found[3][0])


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


def open_panel(page):
    page.get_by_text("What the network does").click()


def shown(page):
    """What the panel says of itself."""
    return page.get_by_role("status", name="Feature maps")


def told(page, name):
    return page.get_by_role("status", name=name)


def tiles(page, layer):
    return page.get_by_role("slider", name=f"Filter of the {layer} convolution")


def picture(page):
    """The picture that the network saw, float32 [28, 28]."""
    data = page.get_by_alt_text("The digit as the network sees it").get_attribute("src").split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), np.float32) / 255


def numbers(text):
    return [float(number) for number in re.findall(r"[-+]?\d+\.\d+", text.replace("−", "-"))]


def draw_seven(page):
    """Draw a 7, and wait until the panel shows the finished drawing."""
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    expect(page.locator(".network")).to_have_attribute("aria-busy", "false")
    expect(shown(page)).to_have_text(DRAWN)


def draw_more(page):
    """Add a scribble to what is drawn, and wait for its feature maps."""
    before = tiles(page, "second").evaluate("canvas => canvas.toDataURL()")
    draw(page, SCRIBBLE)
    arguments = [tiles(page, "second").element_handle(), before]
    page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=arguments)


COMPUTE = """async ([convolution, dense, picture]) => {
  const { computeFeatureMaps, parseFilters } = await import(convolution);
  const { computeAnswer, parseDense } = await import(dense);
  const load = async (kind) => (await fetch(`/api/models/1/${kind}/`)).arrayBuffer();
  const maps = computeFeatureMaps(Float32Array.from(picture), parseFilters(await load("filters")));
  const { units, logits } = computeAnswer(maps, parseDense(await load("dense")), 1);
  return JSON.stringify([maps.first, maps.second, units, logits].map((values) => [...values]));
}"""


@pytest.mark.browser
def test_the_page_works_out_what_the_network_works_out(visits):
    page = visits.open()
    open_panel(page)
    digit = some_digit()
    modules = [module_url(page, f"network/{name}") for name in ("convolution", "dense")]
    found = [np.array(values) for values in json.loads(page.evaluate(COMPUTE, [*modules, digit.ravel().tolist()]))]
    wanted = expected(digit)
    for values, name, tolerance in zip(found, ("first", "second", "units", "logits"), (1e-4, *[1e-3] * 3), strict=True):
        np.testing.assert_allclose(values, getattr(wanted, name).ravel(), atol=tolerance, err_msg=name)


@pytest.mark.browser
def test_the_way_to_the_answer_follows_the_drawing_and_each_part_is_loaded_when_it_is_seen(visits):
    page = visits.prepare()
    asked = []
    page.on("request", lambda request: asked.extend(re.findall(r"(network/walk|filters/|dense/)", request.url)))
    page.goto(visits.url)
    module_url(page, "network/panel")
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    settle(page)
    assert asked == []
    open_panel(page)
    expect(shown(page)).to_have_text(DRAWN)
    assert sorted(asked) == ["filters/", "network/walk"]
    agreement = page.locator("[data-agreement]")
    agreement.scroll_into_view_if_needed()
    expect(agreement).to_contain_text("The server’s answer")
    by_server, here = list(bars(page).values()), page.locator("[data-digit] td:last-child").all_inner_texts()
    np.testing.assert_allclose(numbers(" ".join(here)), by_server, atol=0.3)
    computed, served = re.findall(r"(\d),\s[\d.]+%", agreement.inner_text())
    assert computed == served == str(int(np.argmax(by_server)))
    expect(agreement).not_to_contain_text("differ")
    logits = numbers(" ".join(page.locator("[data-digit] td:nth-child(3)").all_inner_texts()))
    np.testing.assert_allclose(logits, expected(picture(page)).logits, atol=0.02)
    draw_more(page)
    assert sorted(asked) == ["dense/", "filters/", "network/walk"], "once for each model"
    page.get_by_role("button", name="Clear").click()
    expect(shown(page)).to_have_text(EMPTY)
    expect(agreement).to_be_hidden()


def kept_in_cells(page, name):
    """The numbers of a square of cells, as a screen reader is told them."""
    return np.array(numbers(page.get_by_role("img", name=f"{name}: ").get_attribute("aria-label")))


@pytest.mark.browser
def test_a_window_slides_by_keyboard_pointer_and_itself_and_says_what_it_computes(visits):
    page = visits.open(width=390)
    open_panel(page)
    expect(page.get_by_role("heading", name="Max-pooling")).to_be_hidden()
    draw_seven(page)
    tiles(page, "first").focus()
    for key in ("Home", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(told(page, "Filter of the first convolution")).to_contain_text("Filter 6 of the first convolution: ")
    seen = picture(page)
    found = expected(seen).first[5]

    convolution = told(page, "Convolution window")
    page.get_by_role("application", name="Drawing with the window").focus()
    for key in ["Home", *["ArrowUp"] * 24, *["ArrowRight"] * 8, *["ArrowDown"] * 6]:
        page.keyboard.press(key)
    expect(convolution).to_contain_text("Window at row 7, column 9: sum ")
    total, result = numbers(convolution.inner_text())
    assert result == max(total, 0) == pytest.approx(found[6, 8], abs=0.006)
    pixels, kernel, products = (
        kept_in_cells(page, name) for name in ("Pixels in the window", "Weights of the kernel", "Products")
    )
    np.testing.assert_allclose(pixels, seen[6:11, 8:13].ravel(), atol=0.006)
    np.testing.assert_allclose(products, pixels * kernel, atol=0.012)
    ledger = numbers(" ".join(page.locator(".network dd").all_inner_texts()))
    assert ledger[2:] == [total, result]

    pooling = told(page, "Pooling window")
    area = page.get_by_role("application", name="Feature map with the window")
    area.scroll_into_view_if_needed()
    side = area.bounding_box()["width"]
    area.hover(position={"x": side * 8.5 / 12, "y": side * 4.5 / 12})
    expect(pooling).to_contain_text("Window at row 5, column 9: the largest of ")
    *four, largest = numbers(pooling.inner_text())
    np.testing.assert_allclose(four, found[8:10, 16:18].ravel(), atol=0.006)
    assert largest == max(four)

    assert page.get_by_role("button", name="Slide window").last.evaluate(PLAY_AND_PAUSE) == "Pause"
    expect(pooling).to_contain_text("Window at row 1, ")
    page.get_by_role("button", name="Slide window").last.click()
    expect(pooling).to_contain_text("Window at row 12, column 12: ")
    check_accessibility(page, 390, 320, context=".network")


@pytest.mark.browser
def test_filters_and_units_say_what_feeds_them_and_what_they_add(visits):
    page = visits.open(forced_colors="active")
    open_panel(page)
    draw_seven(page)
    tiles(page, "second").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    chosen = told(page, "Filter of the second convolution")
    expect(chosen).to_contain_text("Filter 48 of the second convolution: ")
    found = expected(picture(page))
    assert numbers(chosen.inner_text() + " 0.0")[0] == pytest.approx(found.second[47].max(), abs=0.006)
    rest = numbers(page.locator("[data-network-sources] [data-total]").inner_text())
    parts = numbers(" ".join(page.locator("[data-network-sources] li b").all_inner_texts()))
    assert len(parts) == 5
    assert sum(parts) + rest[0] + rest[1] == pytest.approx(rest[2], abs=0.05)
    assert rest[3] == pytest.approx(found.second[47].max(), abs=0.006)

    page.get_by_role("slider", name="Unit of the dense layer").scroll_into_view_if_needed()
    top = page.get_by_role("group", name="Units that add most").get_by_role("button")
    expect(top.first).to_have_text(re.compile(r"Unit \d+: \+"))
    added = [numbers(text)[0] for text in top.all_inner_texts()]
    assert added == sorted(added, reverse=True)
    top.nth(1).click()
    expect(top.nth(1)).to_have_attribute("aria-pressed", "true")
    unit = int(re.findall(r"\d+", top.nth(1).inner_text())[0])
    words = told(page, "Unit")
    expect(words).to_contain_text(f"Unit {unit}: activation ")
    activation = found.units[unit - 1]
    assert numbers(words.inner_text())[0] == pytest.approx(activation, abs=0.006)
    dense = np.frombuffer(page.request.get(f"{visits.url}/api/models/1/dense/").body(), "<f4")
    column = numbers(" ".join(page.locator("[data-digit] td:nth-child(2)").all_inner_texts()))
    np.testing.assert_allclose(column, dense[1025 * 128 :][:1280].reshape(128, 10)[unit - 1] * activation, atol=0.012)
    page.get_by_role("slider", name="Unit of the dense layer").focus()
    page.keyboard.press("Home")
    expect(words).to_contain_text("Unit 1")


@pytest.mark.browser
@pytest.mark.parametrize(("status", "text"), [(503, "could not be loaded"), (404, "has other layers")])
def test_without_weights_the_panel_says_so_and_tries_again(visits, status, text):
    page = visits.prepare(expected=[f"status of {status}"])
    page.route("**/filters/", lambda route: route.fulfill(status=status, body="{}"))
    page.goto(visits.url)
    open_panel(page)
    draw(page)
    expect(shown(page)).to_contain_text(text)
    page.unroute("**/filters/")
    draw(page, SCRIBBLE)
    expect(shown(page)).to_have_text(DRAWN)
