"""Drawing on the page, as a person does it: a real browser against the running product."""

import io
import re
import struct
import time

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, overflow, settle
from tests.support.page import (
    SCRIBBLE,
    SEVEN,
    alert,
    answer,
    bars,
    button,
    count_down,
    draw,
    ink,
    number_answer,
    on_pad,
    pad,
    path,
    pen,
    touch,
)

pytestmark = pytest.mark.browser
NUMBER = "**/api/number/**"
KEEP_BODY = """() => {
  const send = fetch;
  fetch = async (url, options) => {
    if (options.body instanceof Blob) window.body = [...new Uint8Array(await options.body.arrayBuffer())];
    return send(url, options);
  };
}"""
CSP = "default-src 'self'; img-src 'self' data: blob:"


def test_a_digit_drawn_with_the_mouse_is_read_and_survives_a_new_window_size(visits):
    page = visits.open()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    draw(page)
    expect(answer(page)).to_contain_text(re.compile(r"Read as 7, \d+\.\d% sure\."))
    shares = bars(page)
    assert list(shares) == list("0123456789")
    assert max(shares, key=shares.get) == "7"
    assert sum(shares.values()) == pytest.approx(100, abs=0.1)
    seen = page.get_by_role("img", name="The digit as the network sees it")
    expect(seen).to_be_visible()
    facts = "image => [image.naturalWidth, image.naturalHeight, getComputedStyle(image).imageRendering]"
    assert seen.evaluate(facts) == [28, 28, "pixelated"]
    seven = ink(page)
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow(page) == 0
    assert ink(page) != seven
    page.set_viewport_size({"width": 1280, "height": 900})
    assert ink(page) == seven
    expect(answer(page)).to_contain_text("Read as 7")


def test_strokes_are_undone_and_brought_back_and_clear_takes_all(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    seven = ink(page)
    draw(page, SCRIBBLE)
    assert ink(page) != seven
    button(page, "Undo").click()
    expect(answer(page)).to_contain_text("Read as 7")
    assert ink(page) == seven
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    button(page, "Redo").click()
    expect(answer(page)).to_contain_text("Read as 7")
    assert ink(page) == seven
    button(page, "Clear").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    assert set(bars(page).values()) == {0}
    expect(button(page, "Clear")).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(answer(page)).to_contain_text("Read as 7")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    expect(answer(page)).to_contain_text("Read as 7")
    assert ink(page) == seven
    page.keyboard.press("Control+z")
    draw(page, SCRIBBLE)
    expect(button(page, "Redo")).to_be_disabled()


def test_a_finger_draws_two_leave_no_mark_and_the_page_stays_still(visits):
    page = visits.open(width=320, height=640, has_touch=True, is_mobile=True)
    pad(page).scroll_into_view_if_needed()
    before, blank = page.evaluate("scrollY"), ink(page)
    touch(page, *([point] for point in path(SEVEN)))
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.evaluate("scrollY") == before
    assert overflow(page) == 0
    button(page, "Clear").click()
    touch(page, [(0.4, 0.4)], [(0.4, 0.4), (0.6, 0.6)], [(0.3, 0.3), (0.7, 0.7)])
    assert ink(page) == blank
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    slowly = [SEVEN[0]] * 40  # longer than a pinch takes
    later = [[SEVEN[2], (0.1, 0.9)], [SEVEN[3], (0.2, 0.9)]]
    touch(page, *([point] for point in (*slowly, *SEVEN[:3])), *later)
    expect(answer(page)).to_contain_text("Read as 7")


def test_a_pen_draws_and_its_side_button_does_not(visits):
    page = visits.open()
    pen(page, button="right")
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    pen(page)
    expect(answer(page)).to_contain_text("Read as 7")


def test_the_bars_move_before_the_stroke_has_ended(visits):
    page = visits.open()
    sent = []
    page.on("request", lambda request: "/api/number/" in request.url and sent.append(request))
    first, *rest = on_pad(page, SEVEN)
    page.mouse.move(*first)
    page.mouse.down()
    began = time.monotonic()
    while len(sent) < 5 or time.monotonic() < began + 1:
        assert time.monotonic() < began + 30
        for x, y in rest:
            page.mouse.move(x, y, steps=5)
    assert len(sent) <= 10 * (time.monotonic() - began) + 1
    expect(page.locator("[data-bar][data-best]")).to_have_count(1)
    expect(answer(page)).to_have_text("Nothing drawn yet.")  # what is spoken waits for the end
    page.mouse.up()
    expect(answer(page)).to_contain_text("sure")


def test_what_is_sent_is_a_small_grey_picture(visits):
    page = visits.open()
    page.evaluate(KEEP_BODY)
    with page.expect_request(NUMBER) as asked:
        draw(page)
    body = bytes(page.evaluate("body"))
    assert asked.value.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(body))
    assert len(body) < 6000
    assert max(picture.size) <= 120
    assert struct.unpack(">BB", body[24:26]) == (4, 0), "sixteen levels of grey"
    assert picture.convert("L").getpixel((0, 0)) == 255


def test_what_is_no_digit_gets_a_question_mark_and_no_guess(visits):
    page = visits.open()
    for points in [(0.5, 0.5)], [(0.5, 0.5), (0.52, 0.5)], [(0.1, 0.5), (0.9, 0.5)]:
        blank = ink(page)
        draw(page, points)
        expect(answer(page)).to_contain_text("I can't read this as one digit. Write one from 0 to 9.")
        expect(answer(page)).not_to_contain_text(re.compile("%|could"))
        expect(page.locator("[data-answer-digit]")).to_have_text("?")
        expect(page.locator("[data-bar][data-best]")).to_have_count(0)
        expect(page.get_by_role("group", name="It was")).to_be_visible()
        assert ink(page) != blank, "a tap leaves a dot"
        button(page, "Clear").click()
    draw(page, [(0.5, 0.45), (0.5, 0.55)])
    expect(answer(page)).to_contain_text("Read as 1")  # short, but longer than it is wide
    button(page, "Clear").click()
    unsure = {"prediction": 8, "probabilities": [0.1] * 8 + [0.2, 0.0]}  # of a model without a threshold
    page.route(NUMBER, lambda route: route.fulfill(json=number_answer(unsure, confidence=20.0)))
    draw(page)
    expect(answer(page)).to_contain_text("I can't read this as one digit. Write one from 0 to 9.")
    unsure["probabilities"] = [0.0] * 8 + [0.51, 0.49]
    draw(page, SCRIBBLE)
    expect(answer(page)).to_contain_text("Read as 8, 51.0% sure. It could also be 9 (49.0%).")


def test_too_many_guesses_end_the_guessing_but_not_the_reading(visits):
    page = visits.open(expected=["status of 429"])
    sent = []

    def reply(route):
        sent.append(time.monotonic())
        if len(sent) > 1:
            route.continue_()
        else:
            route.fulfill(status=429, json={"code": "rate_limited"}, headers={"Retry-After": "1"})

    page.route(NUMBER, reply)
    first, second, *rest = on_pad(page, SEVEN)
    page.mouse.move(*first)
    page.mouse.down()
    with page.expect_response(NUMBER):
        page.mouse.move(*second)  # in one step: one guess
    for x, y in rest:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    expect(answer(page)).to_contain_text("Read as 7")
    draw(page, SCRIBBLE)
    expect(answer(page)).not_to_contain_text("Read as 7")
    assert len(sent) == 3, "no guess while cooling down"
    assert sent[1] - sent[0] >= 0.9


def test_drawing_by_keyboard_alone(visits):
    page = visits.open()
    for _ in range(20):
        page.keyboard.press("Tab")
        if pad(page).evaluate("canvas => canvas === document.activeElement"):
            break
    expect(pad(page)).to_be_focused()
    place = page.get_by_role("status", name="Pen")
    page.keyboard.press("Home")
    expect(place).to_have_text("Pen up, row 6, column 2, left edge")
    page.keyboard.press("Shift+ArrowUp")
    expect(place).to_have_text("Pen up, row 2, column 2, top edge, left edge")
    page.reload()
    pad(page).focus()
    for key in ["ArrowLeft"] * 6 + ["Space"]:
        page.keyboard.press(key)
    expect(place).to_have_text("Pen down")
    for key in ["ArrowRight"] * 12 + ["ArrowDown"] * 4:
        page.keyboard.press(key)
    expect(place).to_have_text(re.compile(r"Pen down, row 10, column \d+$"))
    for move in (page.keyboard.down, page.keyboard.up) * 6:
        move("ArrowDown")
        move("ArrowLeft")
    page.keyboard.press("Enter")
    expect(place).to_have_text("Pen up")
    expect(answer(page)).to_contain_text("Read as 7")
    page.keyboard.press("Delete")
    expect(answer(page)).to_have_text("Nothing drawn yet.")


def test_the_full_screen_is_read_from_the_back_of_a_class_and_one_key_clears_it(visits):
    page = visits.open(width=1920, height=1080)
    button(page, "Full screen").click()
    expect(page.get_by_text("clears for the next person")).to_be_visible()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    digit = page.locator("[data-answer-digit]")
    best = page.locator("[data-bar][data-best]")
    assert pad(page).bounding_box()["height"] >= 400
    assert digit.bounding_box()["height"] >= 280
    assert best.bounding_box()["height"] >= 250
    sizes = best.locator("span").evaluate_all("all => all.map((one) => parseFloat(getComputedStyle(one).fontSize))")
    assert min(sizes) >= 20
    assert page.locator(".draw").evaluate("section => section.scrollHeight <= innerHeight")
    check_accessibility(page, 1920, context=".draw")
    button(page, "Examples").focus()
    for key in ("c", "Delete"):
        page.keyboard.press(key)
        expect(answer(page)).to_have_text("Nothing drawn yet.")
        draw(page)
        expect(answer(page)).to_contain_text("Read as 7")
    page.keyboard.press("Escape")
    expect(button(page, "Full screen")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("link", name="Runs", exact=True)).to_be_visible()
    page.keyboard.press("c")
    expect(answer(page)).to_contain_text("Read as 7")


def test_examples_are_strokes_that_are_read(visits):
    page = visits.open()
    for number in [*"0123456789", "2048"]:
        button(page, "Examples").click()
        page.get_by_role("button", name=f"Draw {number}", exact=True).click()
        expect(answer(page)).to_contain_text(f"Read as {number},")
    expect(button(page, "Eraser")).to_be_enabled()
    button(page, "Undo").click()
    expect(answer(page)).to_contain_text("Read as 9,")
    button(page, "Examples").click()
    check_accessibility(page, 1280, 320, context="dialog")


def test_an_answer_that_comes_late_is_dropped(visits):
    page = visits.open()
    held = []

    def reply(route, digit):
        route.fulfill(json=number_answer(digit))

    page.route(NUMBER, lambda route: reply(route, 2) if held else held.append(route))
    with page.expect_request(NUMBER):
        draw(page)
    draw(page, SCRIBBLE)
    expect(answer(page)).to_contain_text("Read as 2")
    with page.expect_response(lambda response: response.request == held[0].request) as late:
        reply(held[0], 1)
    late.value.finished()
    settle(page)
    expect(answer(page)).to_contain_text("Read as 2")


def test_refusals_are_said_in_plain_words(visits):
    page = visits.open(expected=["status of"], clock=True)
    refusal = {}
    page.route(NUMBER, lambda route: route.fulfill(**refusal))
    for status, code, headers, said, words in [
        (503, "model_unavailable", {}, "No model is in service.", "No prediction."),
        (422, "blank_drawing", {}, "", "No digit found in this drawing."),
        (429, "rate_limited", {"Retry-After": "30"}, "Too many requests. It will be tried again.", "No prediction."),
    ]:
        refusal |= {"status": status, "headers": headers, "json": {"code": code}}
        draw(page)
        expect(answer(page)).to_have_text(words)
        expect(alert(page, said or re.compile("."))).to_have_count(int(bool(said)))
    waiting = alert(page, "Trying again in")
    assert 20 <= count_down(page, waiting, r"Trying again in {} s\.", 1) <= 30
    count_down(page, waiting, r"Trying again in {} s\.", 1)
    page.unroute_all()
    page.clock.fast_forward(30_000)
    expect(answer(page)).to_contain_text("sure")
    expect(alert(page, re.compile("."))).to_have_count(0)


def test_a_server_that_was_away_is_asked_again_until_it_answers_and_not_for_ever(visits):
    # The socket never connects: a pong that came too late for the moved clock would begin the waits anew.
    page, _ = visits.open_faked({}, expected=["ERR_FAILED", "ERR_CONNECTION"], clock=True)
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    page.route(NUMBER, refuse)
    lost = alert(page, "The server can't be reached.")
    draw(page, steps=1)
    expect(lost).to_contain_text(re.compile(r"Trying again in [12] s\."))
    guesses = len(asked)
    for _ in range(60):  # ten minutes
        page.clock.fast_forward(10_000)
        settle(page)
    expect(lost).to_contain_text("Check your connection and try again.")
    assert 3 <= len(asked) - guesses <= 12
    page.unroute_all()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(answer(page)).to_contain_text("Read as 7")
    expect(lost).to_have_count(0)
    page.route(NUMBER, refuse)
    button(page, "Undo").click()
    button(page, "Redo").click()
    expect(lost).to_contain_text("Trying again")
    page.unroute_all()
    page.clock.fast_forward(2000)
    expect(answer(page)).to_contain_text("Read as 7")
    expect(lost).to_have_count(0)


def test_nothing_keeps_anybody_out(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    check_accessibility(page, 1280, 320)


def test_it_works_under_a_strict_policy_in_light_and_dark(visits):
    """The page needs nothing inline and nothing from another host."""
    # A page that Playwright hands over has no address for Chromium, which would keep it from sockets on loopback.
    page = visits.prepare(permissions=["local-network-access"])

    def under_policy(route):
        response = route.fetch()
        route.fulfill(response=response, headers=response.headers | {"content-security-policy": CSP})

    page.route(visits.url + "/", under_policy)
    page.goto(visits.url)
    expect(page.get_by_role("status", name="Connection")).to_have_text("Live")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
        assert (brightness < 60) == (scheme == "dark")
        draw(page)
        expect(answer(page)).to_contain_text("sure")
