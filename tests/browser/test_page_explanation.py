"""Why this digit: the evidence over the drawing, what speaks against another digit, and the smallest change."""

import base64
import io
import os
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, settle
from tests.support.page import answer, button, draw, on_pad, pad

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("EXPLAIN_SHOTS")
SEVEN = [(0.25, 0.2), (0.75, 0.2), (0.6, 0.5), (0.45, 0.85)]


def status(page):
    return page.get_by_role("status", name="Explanation")


def digit(page, number):
    return page.get_by_role("group", name="Digit to explain").get_by_role("button", name=str(number))


def why(page):
    return page.locator("[data-why] summary")


def overlay(page):
    """Return the heat map over the pad as RGBA values, or None if no map is shown."""
    settle(page)
    canvas = page.locator("[data-evidence]")
    if not canvas.is_visible():
        return None
    return Image.open(io.BytesIO(base64.b64decode(canvas.evaluate("canvas => canvas.toDataURL()").split(",")[1])))


def colour_at(page, point):
    """The overlay's colour at a point of `on_pad`."""
    [(x, y)] = on_pad(page, [point])
    shown, box = overlay(page), pad(page).bounding_box()
    place = (x - box["x"]) / box["width"] * shown.width, (y - box["y"]) / box["height"] * shown.height
    return shown.getpixel(tuple(map(round, place)))


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/explain-{name}.png", full_page=True)


def test_the_evidence_lies_over_the_drawing_and_goes_with_it(visits):
    page = visits.open()
    why(page).click()
    expect(status(page)).to_have_text("Draw a digit first.")
    draw(page, SEVEN)
    expect(answer(page)).to_contain_text("Read as 7")
    expect(status(page)).to_have_text("Choose a digit.")
    assert overlay(page) is None
    height = page.evaluate("document.documentElement.scrollHeight")
    digit(page, 7).focus()
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("What speaks for and against 7: most for it")
    expect(digit(page, 7)).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollHeight") == height, "nothing moves"
    red, _, blue, alpha = colour_at(page, (0.6, 0.5))
    assert (alpha > 60, red > blue) == (True, True), "the stem speaks for the 7"
    far = colour_at(page, (-0.4, 0.95))
    assert far[3] < 30
    expect(page.locator("[data-why]")).to_contain_text(
        re.compile(r"With \d+ of 784 pixels changed, the network reads \d")
    )
    page.set_viewport_size({"width": 700, "height": 900})
    assert colour_at(page, (0.6, 0.5))[3] > 60, "it moves with the drawing"
    page.set_viewport_size({"width": 1280, "height": 900})
    digit(page, 1).click()
    expect(status(page)).to_contain_text("for and against 1")
    expect(status(page)).to_contain_text("The network’s answer is 7.")
    assert page.evaluate("document.documentElement.scrollHeight") == height
    red, _, blue, alpha = colour_at(page, (0.35, 0.2))
    assert (alpha > 60, blue > red) == (True, True), "the bar speaks against a 1"
    shoot(page, "against-1")
    check_accessibility(page, 1280, 360, context="[data-why]")
    page.set_viewport_size({"width": 1280, "height": 900})
    draw(page, [(0.35, 0.55), (0.7, 0.55)])
    expect(status(page)).to_have_text("Choose a digit.")
    assert overlay(page) is None
    assert page.locator("[data-why-digit][aria-pressed=true]").count() == 0
    digit(page, 7).click()
    expect(status(page)).to_contain_text("for and against 7")
    for width in (1280, 360):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            settle(page)
            shoot(page, f"{width}-{scheme}")
    button(page, "Clear").click()
    expect(status(page)).to_have_text("Draw a digit first.")
    assert overlay(page) is None


def test_of_a_number_the_open_digit_is_explained_where_it_stands(visits):
    page = visits.open()
    for left in (-0.6, 0.9):
        draw(page, [(left + x * 0.8, y) for x, y in SEVEN])
    expect(answer(page)).to_contain_text("77")
    page.get_by_role("group", name="Digits of the number").get_by_role("button").nth(1).click()
    why(page).click()
    expect(status(page)).to_contain_text("What speaks for and against 7")
    columns = np.asarray(overlay(page))[..., 3].max(axis=0)
    middle = len(columns) // 2
    assert columns[middle:].max() > 150
    assert columns[:middle].max() < 60, "nothing over the other digit"
    assert colour_at(page, (0.9 + 0.6 * 0.8, 0.5))[3] > 60
    shoot(page, "number")
    page.get_by_role("group", name="Digits of the number").get_by_role("button").nth(0).click()
    expect(status(page)).to_have_text("Choose a digit.")
    assert overlay(page) is None


def test_a_refused_explanation_says_so_and_can_be_asked_for_again(visits):
    page = visits.open(expected=["status of 503", "ERR_FAILED"])
    draw(page, SEVEN)
    expect(answer(page)).to_contain_text("Read as 7")
    busy = {"code": "busy", "message": "The server is busy with other drawings. Try again shortly."}
    page.route("**/api/drawing/?explain*", lambda route: route.fulfill(status=503, json=busy))
    why(page).click()
    expect(status(page)).to_have_text(busy["message"])
    waiting = []
    page.route("**/api/drawing/?explain=3*", lambda route: waiting.append(route))
    with page.expect_request("**/api/drawing/?explain=3*"):
        digit(page, 3).click()
    digit(page, 7).click()
    with page.expect_event("requestfailed"):
        waiting[0].abort()
    page.unroute_all()
    digit(page, 7).click()
    expect(status(page)).to_contain_text("for and against 7")
    digit(page, 3).click()
    expect(status(page)).to_contain_text("for and against 3")
