"""Numbers on the page: written by mouse, finger and keyboard, opened digit by digit, corrected, erased, as a photo."""

import base64
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, overflow, settle
from tests.support.drawings import STROKES, encode
from tests.support.drawings import draw as drawn
from tests.support.keyboard import type_number
from tests.support.page import DROP, alert, answer, bars, button, draw, ink, number_answer, on_pad, pad, touch

pytestmark = pytest.mark.browser
NUMBER = "98105"


def strokes(number, width, height, top=0.15):
    """Each stroke of a number in the pad's middle, in the units of `on_pad`; a digit takes `width`."""
    left = 0.5 - len(number) * width / 2
    for place, digit in enumerate(number):
        for points in STROKES[int(digit)]:
            few = [*points[:-1:4], points[-1]] if len(points) > 4 else points
            yield [(left + (place + 0.1 + x * 0.8) * width, top + y * height) for x, y in few]


def write(page, number=NUMBER, width=0.42, height=0.6):
    for points in strokes(number, width, height):
        draw(page, points, steps=1)


def digits(page):
    return page.get_by_role("group", name="Digits of the number").get_by_role("button")


def boxes(page):
    return page.locator("[data-boxes] > *")


def expect_number(page, number=NUMBER):
    expect(answer(page)).to_contain_text(re.compile(rf"(Read as|Perhaps) {number}, \d+\.\d% sure\."))
    assert digits(page).all_inner_texts() == list(number)
    expect(boxes(page)).to_have_count(len(number))


def best(page):
    """The digit with the longest bar."""
    shares = bars(page)
    return max(shares, key=shares.get)


def count_labels(stack):
    return stack.http.get("/api/corrections/summary/").json()["accepted"]


def correct(page, stack, place, label):
    """Open a digit, say what it was, find that in the summary, and take it back."""
    digits(page).nth(place).click()
    before = count_labels(stack)[label]
    with page.expect_response("**/api/corrections/") as saved:
        page.get_by_role("group", name=f"Digit {place + 1} wrong? It was").get_by_role("button", name=label).click()
    expect(page.get_by_role("status", name="Correction")).to_contain_text(f"Saved as “{label}”.")
    seen = page.get_by_role("img", name="The digit as the network sees it").get_attribute("src")
    again = stack.http.post("/api/corrections/", json={"drawing": seen, "label": int(label)})
    assert [again.status_code, again.json()["id"]] == [200, saved.value.json()["id"]], "the digit's own 28x28 picture"
    assert count_labels(stack)[label] == before + 1
    expect(page.get_by_role("group", name=re.compile("wrong"))).to_be_hidden()
    digits(page).nth(place - 1).click()
    expect(page.get_by_role("group", name=f"Digit {place} wrong? It was")).to_be_visible()
    digits(page).nth(place).click()
    button(page, "Undo correction").click()
    expect(page.get_by_role("status", name="Correction")).to_have_text("Undone. The label was deleted.")


def top_of_the_rest(page):
    """How far down the page begins what is below the drawing section."""
    return page.locator("[data-network]").evaluate("element => element.getBoundingClientRect().top + scrollY")


def expect_boxes_around(page, written):
    """Each box holds its digit's ink with a little space. `written` are the points of each digit, as for `on_pad`."""
    for box, points in zip(boxes(page).all(), written, strict=True):
        found = box.bounding_box()
        across, down = zip(*on_pad(page, points), strict=True)
        ends = [min(across), min(down), max(across), max(down)]
        edges = [found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]]
        space = [end - edge for end, edge in zip(ends, edges, strict=True)]
        assert all(8 < side < 32 for side in (space[0], space[1], -space[2], -space[3])), space


def test_a_number_written_with_the_mouse_is_read_opened_and_corrected(visits, stack):
    page = visits.open()
    page.get_by_text("What the network does").click()
    tiles = page.locator("[data-network-first] canvas")
    top = top_of_the_rest(page)
    write(page)
    expect_number(page)
    assert top_of_the_rest(page) == top, "nothing has moved"
    lines = [*strokes(NUMBER, 0.42, 0.6)]  # the 5 has two strokes, and so has the 8
    expect_boxes_around(page, [lines[0], lines[1] + lines[2], lines[3], lines[4], lines[5] + lines[6]])
    pressed = digits(page).and_(page.locator("[aria-pressed=true]"))
    expect(pressed).to_have_accessible_name(re.compile(r"Digit 1: 9, \d+\.\d% sure"))
    assert best(page) == "9"

    nine = tiles.evaluate("canvas => canvas.toDataURL()")
    page.mouse.click(*on_pad(page, [(0.5 + 0.42, 0.45)])[0])  # within the zero
    expect(pressed).to_have_accessible_name(re.compile("Digit 4: 0"))
    assert best(page) == "0"
    expect(page.get_by_role("status", name="Part that was read")).to_have_text(
        "The outlined part was read as 0 (digit 4)."
    )
    page.wait_for_function("([canvas, old]) => canvas.toDataURL() !== old", arg=[tiles.element_handle(), nine])
    expect_number(page)  # the click has left no ink

    digits(page).nth(3).press("ArrowLeft")
    expect(digits(page).nth(2)).to_be_focused()
    assert best(page) == "1"
    correct(page, stack, 2, "7")
    assert top_of_the_rest(page) == top
    check_accessibility(page, 1280, 390, context=".draw")


def test_a_finger_writes_opens_and_corrects_and_the_telephone_is_turned(visits, stack):
    page = visits.open(width=390, height=844, has_touch=True, is_mobile=True)
    top = top_of_the_rest(page)
    for points in strokes(NUMBER, 0.19, 0.45):
        touch(page, *([point] for point in points))
    expect_number(page)
    x, y = on_pad(page, [(0.5 + 2 * 0.19, 0.35)])[0]  # within the five
    page.touchscreen.tap(x, y)
    expect(digits(page).nth(4)).to_have_attribute("aria-pressed", "true")
    assert best(page) == "5"
    digits(page).nth(1).tap()
    expect(digits(page).nth(1)).to_have_attribute("aria-pressed", "true")
    assert best(page) == "8"
    correct(page, stack, 1, "3")
    assert top_of_the_rest(page) == top
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in (one.bounding_box() for one in digits(page).all()))
    written, places = ink(page), [one.get_attribute("style") for one in boxes(page).all()]
    for size in ({"width": 844, "height": 390}, {"width": 320, "height": 700}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)
        settle(page)
        assert overflow(page) == 0
        sheet = pad(page).bounding_box()
        for box in (one.bounding_box() for one in boxes(page).all()):
            assert sheet["x"] <= box["x"] <= box["x"] + box["width"] <= sheet["x"] + sheet["width"]
    assert ink(page) == written
    assert [one.get_attribute("style") for one in boxes(page).all()] == places


def test_a_number_is_written_opened_and_corrected_by_keyboard_alone(visits, stack):
    page = visits.open()
    pad(page).focus()
    type_number(page, NUMBER)
    expect_number(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        if digits(page).first.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("ArrowRight")
    expect(digits(page).nth(1)).to_be_focused()
    assert best(page) == "8"
    with page.expect_response("**/api/corrections/") as sent:
        page.keyboard.press("6")
    assert sent.value.json()["label"] == 6
    expect(page.get_by_role("status", name="Correction")).to_contain_text("Saved as “6”.")
    button(page, "Undo correction").press("Enter")
    expect(page.get_by_role("status", name="Correction")).to_have_text("Undone. The label was deleted.")

    pad(page).focus()
    page.keyboard.press("e")
    expect(button(page, "Eraser")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    across = ["Shift+ArrowRight"] * 3, ["Shift+ArrowLeft"] * 3
    for row in range(9):  # over the nine, from its foot
        for key in [*across[row % 2], "ArrowUp", "ArrowUp"]:
            page.keyboard.press(key)
    page.keyboard.press("Space")
    expect_number(page, "8105")


def test_the_eraser_rubs_out_what_is_under_it_and_can_be_undone(visits):
    page = visits.open()
    eraser = button(page, "Eraser")
    expect(eraser).to_be_disabled()
    write(page, "17")
    expect_number(page, "17")
    both = ink(page)
    eraser.click()
    expect(eraser).to_have_attribute("aria-pressed", "true")
    draw(page, [(-0.5, 0.1), (-0.5, 0.9)])
    page.mouse.move(1, 1)  # away from the pad, which shows the eraser's size
    assert ink(page) == both, "nothing was there"
    seven = [(0.52 + 0.4 * (step % 2), 0.1 + 0.08 * step) for step in range(10)]
    draw(page, seven, steps=8)
    expect(answer(page)).to_contain_text("Read as 1,")
    expect(boxes(page)).to_have_count(0)
    button(page, "Undo").click()
    expect_number(page, "17")
    assert ink(page) == both
    button(page, "Redo").click()
    expect(answer(page)).to_contain_text("Read as 1,")
    draw(page, [(0.29, 0.05), (0.29, 0.9)], steps=8)
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    expect(eraser).to_be_disabled()
    write(page, "1")
    expect(answer(page)).to_contain_text("Read as 1,")


def test_a_photo_of_a_number_has_boxes_and_an_uncertain_digit_and_too_many_are_told(visits):
    page = visits.open(expected=["status of 422"])
    paper = Image.new("L", (700, 300), 255)
    for place, digit in enumerate((4, 0, 7)):
        paper.paste(drawn(digit, size=(200, 200), height=140, brush=14), (50 + 200 * place, 50))
    page.evaluate(DROP, base64.b64encode(encode(paper)).decode())
    expect_number(page, "407")
    sheet = pad(page).bounding_box()
    scale, left = sheet["height"] / 300, sheet["x"] + sheet["width"] / 2 - 350 * sheet["height"] / 300
    for place, box in enumerate(one.bounding_box() for one in boxes(page).all()):
        assert box["x"] + box["width"] / 2 == pytest.approx(left + (150 + 200 * place) * scale, abs=12)
        assert box["height"] == pytest.approx(154 * scale, rel=0.2)
    note = page.get_by_role("status", name="Part that was read")
    expect(note).to_have_text("The dimmed part of the picture was left out.")

    doubtful = {"prediction": 1, "uncertain": True, "uncertain_reason": "low_confidence"}
    doubtful["probabilities"] = [0, 0.6, 0, 0, 0, 0, 0, 0.4, 0, 0]
    told = number_answer(4, doubtful, confidence=59.94, uncertain=True, uncertain_reason="low_confidence")
    page.route("**/api/number/**", lambda route: route.fulfill(json=told))
    write(page, "41")
    expect(answer(page)).to_have_text("Perhaps 41, 59.9% sure. Digit 2 is uncertain.")
    expect(digits(page).nth(1)).to_have_accessible_name("Digit 2: 1, 60.0% sure, uncertain")
    assert boxes(page).all_inner_texts() == ["4", "1?"]
    digits(page).nth(1).click()
    expect(page.locator("[data-answer-text]")).to_contain_text("It could also be 7 (40.0%).")
    doubtful |= {"probabilities": [0.1] * 10, "uncertain_reason": "not_a_digit"}
    told |= number_answer(4, doubtful, confidence=9.9, uncertain=True, uncertain_reason="not_a_digit")
    write(page, "1")
    expect(answer(page)).to_have_text("I can't read this as one number. Digit 2 can't be read.")
    expect(digits(page).nth(1)).to_have_accessible_name("Digit 2: can't be read")
    assert [one.inner_text() for one in digits(page).all()] == ["4", "?"]
    assert boxes(page).all_inner_texts() == ["4", "?"]
    expect(page.locator("[data-bar][data-best]")).to_have_count(0)
    expect(page.locator("[data-answer-text]")).not_to_contain_text(re.compile("10.0%|could|sure"))
    check_accessibility(page, 1280, 390, context=".draw")
    page.unroute_all()
    words = "Send one line of at most 20 digits."
    refused = {"code": "too_many_digits", "message": words}
    page.route("**/api/number/**", lambda route: route.fulfill(status=422, json=refused))
    draw(page, [(0.5, 0.3), (0.5, 0.8)])
    expect(alert(page, words)).to_be_visible()
    expect(answer(page)).to_have_text("No prediction.")
    expect(boxes(page)).to_have_count(0)
    expect(digits(page)).to_have_count(0)


TELEPHONES = [(320, 480), (320, 568), (390, 844), (360, 640), (480, 320), (568, 320), (844, 390)]
PLACES = """() => Object.fromEntries(["pad", "number", "bars", "tools", "correction", "network"].map((name) => {
  const { left, top, right, bottom } = document.querySelector(`.${name}, [data-${name}]`).getBoundingClientRect();
  return [name, [left, top, right, bottom].map(Math.round)];
}))"""
SCREENFUL = """() => ["[data-pad]", "[data-answer-digit], [data-number] button", "[data-bar]"].flatMap((shown) =>
  [...document.querySelectorAll(shown)].filter((element) => element.checkVisibility()).map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  }))"""


def test_pad_answer_and_bars_are_one_screen_of_a_telephone(visits):
    page = visits.open(width=320, height=480, has_touch=True, is_mobile=True)
    for width, height in TELEPHONES:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        settle(page)
        places = page.evaluate(PLACES)
        places.pop("number")  # hidden for one digit
        place = pad(page).bounding_box()
        for number, count in (("7", 0), ("105", 3)):
            write(page, number, width=0.3 * place["width"] / place["height"])
            expect(page.locator("[data-bar][data-best]")).to_have_count(1)
            expect(page.locator(".answer")).to_have_attribute("data-state", re.compile("predict|uncertain|unread"))
            expect(digits(page)).to_have_count(count)
            shown = page.evaluate(SCREENFUL)
            assert len(shown) == 11 + max(count, 1), (width, height)
            assert all(shown), (width, height)
            assert [page.evaluate("scrollY"), overflow(page)] == [0, 0]
            moved = {name for name, at in page.evaluate(PLACES).items() if places.get(name, at) != at}
            assert not moved, (width, height)
            page.evaluate("scrollTo(0, 0)")
            button(page, "Clear").click()
            expect(answer(page)).to_have_text("Nothing drawn yet.")
