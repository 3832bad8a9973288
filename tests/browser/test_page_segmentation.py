"""What the page shows of a drawing: what was taken for the digit, what was left out, and why it is unsure."""

import base64
import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, settle, snapshot
from tests.support.drawings import dot, encode
from tests.support.drawings import draw as drawn
from tests.support.page import DROP, SEVEN, answer, button, choose, draw, number_answer
from tests.support.papers import form_cell, phone_photo

pytestmark = pytest.mark.browser


def overlay(page):
    """The segmentation over the pad, once it is there: RGBA."""
    canvas = page.locator("[data-segmentation]")
    expect(page.get_by_role("status", name="Part that was read")).not_to_be_empty()
    return Image.open(io.BytesIO(base64.b64decode(canvas.evaluate("canvas => canvas.toDataURL()").split(",")[1])))


def is_outline(colour):
    """Vermilion, the page's accent, opaque."""
    red, green, blue, alpha = colour
    return alpha > 200 and red > green + 60 and green > blue


def test_what_was_taken_for_the_digit_is_outlined_and_the_rest_dimmed(visits):
    page = visits.open()
    seven = drawn(7, size=(420, 280), centre=(110, 140), height=180)
    choose(page, "seven-and-speck.png", encode(dot(seven, 390, 40, 4)))
    expect(answer(page)).to_contain_text("Read as 7")
    note = page.get_by_role("status", name="Part that was read")
    expect(note).to_contain_text("at the left of the picture")
    shown = overlay(page)
    scale = shown.height / 280
    left = (shown.width - 420 * scale) / 2  # the pad is wider than the picture: on both sides it is empty

    def at(x, y):
        return shown.getpixel((round(left + x * scale), min(round(y * scale), shown.height - 1)))

    dimmed = at(390, 40)
    assert 150 < dimmed[3] < 220
    assert at(10, 270) == dimmed, "what was left out, the empty paper too"
    assert at(110, 53)[3] == 0, "the seven's bar shows as it is"
    column = [at(110, y) for y in range(280)]
    assert is_outline(max(column[:50], key=lambda colour: colour[3])), "above the bar"
    assert not any(is_outline(at(x, y)) for x in range(220, 420, 2) for y in range(0, 280, 2))
    assert shown.getpixel((5, 5))[3] == 0, "beside the picture"
    button(page, "Undo").click()
    expect(note).to_be_empty()
    button(page, "Redo").click()
    expect(note).not_to_be_empty()
    assert overlay(page).tobytes() == shown.tobytes()
    draw(page)
    expect(note).to_be_empty()


@pytest.mark.parametrize(
    ("file", "size", "digit", "box", "left_out"),
    [
        (encode(form_cell(7)), (420, 360), 7, (162, 137, 258, 277), [(150, 85), (121, 200), (30, 331)]),
        (encode(phone_photo(3), "JPEG"), (1200, 1600), 3, (519, 551, 706, 810), [(400, 1100), (60, 60), (1100, 1500)]),
    ],
    ids=["form cell", "phone photo"],
)
def test_only_the_digit_of_a_dropped_paper_is_outlined(visits, file, size, digit, box, left_out):
    """`box` is the digit's in the picture; the spots that were left out are a label, lines, paper, desk and shadow."""
    page = visits.open()
    page.evaluate(DROP, base64.b64encode(file).decode())
    expect(answer(page)).to_contain_text(f"Read as {digit}")
    shown = overlay(page)
    scale = shown.height / size[1]
    left = (shown.width / scale - size[0]) / 2
    pixels = np.asarray(shown).astype(int)
    outlined = (pixels[..., 3] > 200) & (pixels[..., 0] > pixels[..., 1] + 60)
    rows, columns = np.flatnonzero(outlined.any(axis=1)), np.flatnonzero(outlined.any(axis=0))
    found = np.array([columns[0], rows[0], columns[-1], rows[-1]]) / scale - [left, 0, left, 0]
    gap = found - box  # the outline's distance from the ink
    assert np.abs(gap * scale).max() < 14, f"{found} around {box}"
    assert max(gap[0], gap[1], -gap[2], -gap[3]) < 0, f"{found} outside {box}"
    dimmed = [shown.getpixel((round((left + x) * scale), round(y * scale))) for x, y in left_out]
    assert all(150 < alpha < 220 for *_, alpha in dimmed), dimmed
    check_accessibility(page, 1280, 390)


def test_of_a_photo_that_the_browser_cannot_show_the_digit_is_shown(visits):
    page = visits.open()
    pillow_heif.register_heif_opener()
    choose(page, "IMG_7.HEIC", encode(drawn(7, size=(400, 300), centre=(330, 150), height=180), "HEIF"))
    expect(answer(page)).to_contain_text("Read as 7")
    note = page.get_by_role("status", name="Part that was read")
    expect(note).to_contain_text("This browser can't show the picture.")
    expect(note).to_contain_text("at the right of the picture")
    shown = overlay(page)
    scale = shown.height / 300
    bar = shown.getpixel((round(shown.width / 2 + (330 - 200) * scale), round(63 * scale)))
    assert bar[3] > 200
    assert not is_outline(bar), "the ink itself, in the pen's colour"


COUNT_CHANGES = """() => {
  window.changes = 0;
  const note = document.querySelector("[data-segmentation-note]");
  new MutationObserver(() => { changes += 1; }).observe(note, { childList: true, characterData: true, subtree: true });
}"""


def test_strokes_that_were_left_out_are_dimmed_and_stay_so_when_another_model_answers(visits):
    page, server = visits.open_faked(snapshot(model=1), expected=["status of 404"])  # there is no model 7
    note = page.get_by_role("status", name="Part that was read")
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    expect(note).to_be_empty()
    page.get_by_role("slider", name="Brush").fill("3")
    draw(page, [(0.92, 0.1), (0.92, 0.11)])
    expect(note).to_have_text("The faded part of your drawing was left out.")
    shown = overlay(page)
    middle, side = shown.width / 2, shown.height
    speck, bar = (
        shown.getpixel((round(middle + (x - 0.5) * side), round(y * side))) for x, y in ((0.92, 0.105), SEVEN[1])
    )
    assert speck[3] > 150
    assert bar[3] == 0
    page.evaluate(COUNT_CHANGES)
    with page.expect_response("**/api/number/**"):
        server.send("activated", 0, model=7)
    settle(page)
    assert page.evaluate("changes") == 0
    assert overlay(page).tobytes() == shown.tobytes()


def test_an_uncertain_answer_says_why_and_what_to_do(visits):
    page = visits.open()
    sent = {"prediction": 2, "confidence": 60.0, "uncertain": True, "probabilities": [0.4, 0.0, 0.6, *[0.0] * 7]}
    reply = {"uncertain": True, "confidence": 60.0}
    page.route("**/api/number/**", lambda route: route.fulfill(json=number_answer(sent, **reply)))
    for reason, words in {
        "low_confidence": "Two digits are likely. Write it more clearly.",
        "not_a_digit": "I can't read this as one digit. Write one from 0 to 9.",
        "several_digits": "This looks like several digits. Leave some space between them.",
        "cut_off": "The digit is cut off at the edge. Leave some space around it.",
        "surroundings": "Something around the digit may have been read with it.",
        "a reason of a later version": "This may not be a digit.",
    }.items():
        sent["uncertain_reason"] = reply["uncertain_reason"] = reason
        draw(page)
        expect(answer(page)).to_contain_text(words)
        perhaps = expect(answer(page))
        (perhaps.not_to_contain_text if reason == "not_a_digit" else perhaps.to_contain_text)("Perhaps 2, 60.0% sure.")
