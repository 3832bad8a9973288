"""Drawing on the page, as a person does it: a real browser against the running product."""

import base64
import io
import re
import struct
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.support.browser import (  # noqa: F401
    SCRIBBLE,
    SEVEN,
    answer,
    bars,
    draw,
    fingers,
    launch_chromium,
    on_pad,
    overflow,
    pad,
    pen,
    touch,
    watch_visits,
)

pytestmark = pytest.mark.browser
DROP = """(data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "seven.png", { type: "image/png" }));
  const where = document.querySelector("footer, #runs");
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
    where.dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error(`${kind} would leave the page`);
  }
}"""
KEEP_BODY = """
const send = fetch;
fetch = async (url, options) => {
  if (options.body instanceof Blob) window.body = [...new Uint8Array(await options.body.arrayBuffer())];
  return send(url, options);
};
"""
CSP = "default-src 'self'; img-src 'self' data: blob:"


def picture_of_seven():
    picture = Image.new("L", (280, 280), 255)
    corners = [(x * 280, y * 280) for x, y in SEVEN]
    ImageDraw.Draw(picture).line(corners, fill=0, width=22, joint="curve")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_a_digit_drawn_with_the_mouse_is_read(visits):
    page = visits.open()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    draw(page)
    expect(answer(page)).to_contain_text(re.compile(r"Read as 7, \d+\.\d% sure\."))
    shares = bars(page)
    assert list(shares) == list("0123456789")
    assert max(shares, key=shares.get) == "7"
    assert sum(shares.values()) == pytest.approx(100, abs=0.1)
    seen = page.get_by_role("img", name="The drawing as the network sees it")
    expect(seen).to_be_visible()
    assert seen.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [28, 28]
    assert seen.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"


def test_undo_takes_back_a_stroke_and_clear_takes_all(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    seven = pad(page).screenshot()
    draw(page, SCRIBBLE)
    assert pad(page).screenshot() != seven
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_contain_text("Read as 7")
    page.mouse.move(0, 0)
    assert pad(page).screenshot() == seven
    page.get_by_role("button", name="Clear").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    assert set(bars(page).values()) == {0}
    expect(page.get_by_role("button", name="Clear")).to_be_disabled()
    page.keyboard.press("Control+z")
    expect(answer(page)).to_contain_text("Read as 7")


def test_a_finger_draws_and_the_page_stays_still(visits):
    page = visits.open(width=320, height=640, has_touch=True, is_mobile=True)
    pad(page).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    touch(page)
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.evaluate("scrollY") == before
    assert overflow(page) == 0


def test_a_pen_draws_and_its_side_button_does_not(visits):
    page = visits.open()
    pen(page, button="right")
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    pen(page)
    expect(answer(page)).to_contain_text("Read as 7")


def test_the_bars_move_before_the_stroke_has_ended(visits):
    page = visits.open()
    sent = []
    page.on("request", lambda request: "/api/drawing/" in request.url and sent.append(request))
    first, *rest = on_pad(page, SEVEN)
    page.mouse.move(*first)
    page.mouse.down()
    began = time.monotonic()
    while time.monotonic() < began + 2:
        for x, y in rest:
            page.mouse.move(x, y, steps=20)
    assert max(bars(page).values()) > 0
    expect(answer(page)).to_have_text("Nothing drawn yet.")  # what is spoken waits for the end
    assert 5 <= len(sent) <= 10 * (time.monotonic() - began) + 1
    page.mouse.up()
    expect(answer(page)).to_contain_text("sure")


def test_what_is_sent_is_a_small_grey_picture(visits):
    page = visits.prepare()
    page.add_init_script(KEEP_BODY)
    page.goto(visits.url)
    with page.expect_request("**/api/drawing/**") as asked:
        draw(page)
    body = bytes(page.evaluate("body"))
    assert asked.value.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(body))
    assert len(body) < 6000
    assert max(picture.size) <= 120
    assert struct.unpack(">BB", body[24:26]) == (4, 0), "sixteen levels of grey"
    assert picture.convert("L").getpixel((0, 0)) == 255


@pytest.mark.parametrize("points", [[(0.5, 0.5)], [(0.1, 0.5), (0.9, 0.5)], [(0.02, 0.02), (0.98, 0.98)]])
def test_a_dot_and_a_line_are_legal_pictures(visits, points):
    page = visits.open(expected=["status of 422"])  # a dot may be called blank
    with page.expect_response("**/api/drawing/**") as answered:
        draw(page, points)
    assert answered.value.status in {200, 422}


def test_redo_brings_back_what_undo_took(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    seven = pad(page).screenshot()
    page.keyboard.press("Control+z")
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    page.get_by_role("button", name="Redo").click()
    expect(answer(page)).to_contain_text("Read as 7")
    page.mouse.move(0, 0)
    assert pad(page).screenshot() == seven
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    expect(answer(page)).to_contain_text("Read as 7")
    page.keyboard.press("Control+z")
    draw(page, SCRIBBLE)
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()


def test_two_fingers_leave_no_mark_and_a_later_one_breaks_no_stroke(visits):
    page = visits.open(width=390, height=844, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)
    pad(page).scroll_into_view_if_needed()
    blank = pad(page).screenshot()
    fingers(session, page, [(0.4, 0.4)], [(0.4, 0.4), (0.6, 0.6)], [(0.3, 0.3), (0.7, 0.7)], [])
    page.wait_for_timeout(200)
    assert pad(page).screenshot() == blank
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    slowly = [SEVEN[0]] * 40  # longer than a pinch takes
    later = [[SEVEN[2], (0.1, 0.9)], [SEVEN[3], (0.2, 0.9)]]
    fingers(session, page, *[[point] for point in (*slowly, *SEVEN[:3])], *later, [])
    expect(answer(page)).to_contain_text("Read as 7")


def test_a_picture_dropped_anywhere_is_read_and_the_page_stays(visits):
    page = visits.open()
    data = base64.b64encode(picture_of_seven()).decode()
    page.evaluate(DROP, data)
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.url == visits.url + "/"


def test_too_many_guesses_end_the_guessing_but_not_the_reading(visits):
    page = visits.prepare(expected=["status of 429"])
    sent = []

    def reply(route):
        sent.append(time.monotonic())
        if len(sent) == 1:
            body = {"code": "rate_limited", "message": "x", "detail": "x"}
            route.fulfill(status=429, json=body, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/api/drawing/**", reply)
    page.goto(visits.url)
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    draw(page, SCRIBBLE)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.wait_for_timeout(500)
    assert len(sent) <= 3, "no guess while cooling down"
    assert sent[1] - sent[0] >= 0.9


def test_drawing_by_keyboard_alone(visits):
    page = visits.open()
    for _ in range(20):
        page.keyboard.press("Tab")
        if pad(page).evaluate("canvas => canvas === document.activeElement"):
            break
    expect(pad(page)).to_be_focused()
    for key, times in (("ArrowLeft", 6), ("Space", 1), ("ArrowRight", 12), ("ArrowDown", 4)):
        for _ in range(times):
            page.keyboard.press(key)
    expect(page.get_by_role("status", name="Pen")).to_have_text("Pen down")
    for _ in range(6):
        page.keyboard.down("ArrowDown")
        page.keyboard.down("ArrowLeft")
        page.keyboard.up("ArrowDown")
        page.keyboard.up("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status", name="Pen")).to_have_text("Pen up")
    expect(answer(page)).to_contain_text("Read as 7")
    page.keyboard.press("Delete")
    expect(answer(page)).to_have_text("Nothing drawn yet.")


def test_a_picture_from_a_file_is_read(visits):
    page = visits.open()
    blank = pad(page).screenshot()
    file = {"name": "seven.png", "mimeType": "image/png", "buffer": picture_of_seven()}
    page.get_by_label("Use a photo").set_input_files(file)
    expect(answer(page)).to_contain_text("Read as 7")
    assert pad(page).screenshot() != blank


def test_a_file_that_is_no_picture_is_refused_in_plain_words(visits):
    page = visits.open(expected=["status of 4"])
    file = {"name": "notes.png", "mimeType": "image/png", "buffer": b"shopping: milk, bread"}
    page.get_by_label("Use a photo").set_input_files(file)
    expect(page.get_by_role("alert").filter(has_text="Unsupported file. Use PNG, JPEG or WebP.")).to_be_visible()
    expect(answer(page)).to_have_text("No prediction.")


def test_the_drawing_survives_a_new_window_size(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    before = pad(page).screenshot()
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(answer(page)).to_contain_text("Read as 7")
    page.mouse.move(0, 0)
    assert pad(page).screenshot() == before


def test_an_answer_that_comes_late_is_dropped(visits):
    page = visits.prepare()
    held = []

    def reply(route, digit):
        probabilities = [float(index == digit) for index in range(10)]
        route.fulfill(json={"prediction": digit, "confidence": 100.0, "probabilities": probabilities, "model": 1})

    page.route("**/api/drawing/**", lambda route: reply(route, 2) if held else held.append(route))
    page.goto(visits.url)
    with page.expect_request("**/api/drawing/**"):
        draw(page)
    draw(page, SCRIBBLE)
    expect(answer(page)).to_contain_text("Read as 2")
    reply(held[0], 1)
    page.wait_for_timeout(300)
    expect(answer(page)).to_contain_text("Read as 2")


@pytest.mark.parametrize(
    ("status", "code", "headers", "said", "words"),
    [
        (503, "model_unavailable", {}, "No model is in service.", "No prediction."),
        (429, "rate_limited", {"Retry-After": "30"}, "Try again in 30 s", "No prediction."),
        (422, "blank_drawing", {}, None, "No digit found in this drawing."),
    ],
)
def test_refusals_are_said_in_plain_words(visits, status, code, headers, said, words):
    page = visits.prepare(expected=[f"status of {status}"])
    body = {"code": code, "message": "for programs", "detail": "for programs"}
    page.route("**/api/drawing/**", lambda route: route.fulfill(status=status, json=body, headers=headers))
    page.goto(visits.url)
    draw(page)
    expect(answer(page)).to_have_text(words)
    if said:
        expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    else:
        expect(page.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_keeps_anybody_out(visits, width, scheme):
    page = visits.open(width=width, scheme=scheme)
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    found = Axe().run(page).response["violations"]
    assert not found, "\n".join(f"{one['id']}: {[node['html'] for node in one['nodes'][:3]]}" for one in found)
    assert overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_works_under_a_strict_policy_in_light_and_dark(visits, scheme):
    """The page needs nothing inline and nothing from another host."""
    page = visits.prepare(scheme=scheme)
    # A page that Playwright hands over has no address for Chromium, which would keep it from sockets on loopback.
    page.context.grant_permissions(["local-network-access"])

    def under_policy(route):
        response = route.fetch()
        route.fulfill(response=response, headers=response.headers | {"content-security-policy": CSP})

    page.route(visits.url + "/", under_policy)
    page.goto(visits.url)
    expect(page.get_by_role("status", name="Connection")).to_have_text("Live")
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert (brightness < 60) == (scheme == "dark")
