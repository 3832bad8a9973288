"""Pictures on the page: how they get there, what they cost in memory, and which of two acts wins."""

import base64
import io

import pillow_heif
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.support.browser import settle
from tests.support.drawings import dot, encode
from tests.support.drawings import draw as drawn
from tests.support.page import SCRIBBLE, SEVEN, alert, answer, button, draw, ink

pytestmark = pytest.mark.browser
ONE = [(0.5, 0.2), (0.5, 0.8)]
MOST_BYTES = 40_000_000  # of the pictures that undo keeps
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
# Remembers every bitmap that the page makes; a closed one has no size. A file named slow-… decodes when it is released.
WATCH_BITMAPS = """() => {
  const bitmaps = [];
  const make = createImageBitmap;
  const released = new Promise((resolve) => { window.release = () => resolve(); });
  window.createImageBitmap = async (source, ...rest) => {
    if (source.name?.startsWith("slow-")) await released;
    const bitmap = await make(source, ...rest);
    bitmaps.push(bitmap);
    return bitmap;
  };
  window.bitmapBytes = () => bitmaps.reduce((sum, { width, height }) => sum + 4 * width * height, 0);
  window.bitmapsMade = () => bitmaps.length;
}"""


def picture(points, width=280, height=280):
    image = Image.new("L", (width, height), 255)
    side = min(width, height)
    ImageDraw.Draw(image).line([(x * side, y * side) for x, y in points], fill=0, width=side // 13, joint="curve")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def choose(page, name, content):
    """Pick a file in the file dialog, and do not wait for what the page does with it."""
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.get_by_label("Use a photo").set_input_files(file)


def open_page(visits, **options):
    page = visits.open(**options)
    page.evaluate(WATCH_BITMAPS)
    return page


def release(page):
    """Let the slow file be decoded, and wait for what that may cause."""
    made = page.evaluate("bitmapsMade()")
    page.evaluate("release()")
    page.wait_for_function("before => bitmapsMade() > before", arg=made)
    settle(page)


def test_a_picture_is_read_from_a_file_and_dropped_anywhere_and_another_file_is_refused(visits):
    page = visits.open(expected=["status of 4"])
    blank = ink(page)
    choose(page, "seven.png", picture(SEVEN))
    expect(answer(page)).to_contain_text("Read as 7")
    assert ink(page) != blank
    button(page, "Clear").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    page.evaluate(DROP, base64.b64encode(picture(SEVEN)).decode())
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.url == visits.url + "/"
    choose(page, "notes.png", b"shopping: milk, bread")
    expect(alert(page, "Unsupported file. Use PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF.")).to_be_visible()
    expect(answer(page)).to_have_text("No prediction.")


def test_photos_are_kept_small_and_their_memory_is_given_back(visits):
    page = open_page(visits, expected=["status of 422"])
    page.route("**/api/drawing/**", lambda route: route.fulfill(status=422, json={"code": "blank_drawing"}))
    photos = [picture(SEVEN, 2000, 3000), picture(ONE, 3000, 2000)]
    for number in range(13):
        with page.expect_request("**/api/drawing/**"):  # once it is shown
            choose(page, f"photo-{number}.png", photos[number % 2])
    shown = ink(page)
    button(page, "Clear").click()
    assert page.evaluate("bitmapBytes()") < MOST_BYTES
    undo = button(page, "Undo")
    assert ink(page) != shown
    undo.click()
    assert ink(page) == shown, "Clear can be undone, with the photo"
    undone = 1
    while undo.is_enabled():
        undo.click()
        undone += 1
    assert 3 <= undone <= 12
    draw(page)
    expect(button(page, "Redo")).to_be_disabled()
    assert page.evaluate("bitmapBytes()") <= 4 * 1024 * 1024, "what can no longer be brought back is freed"


def test_of_two_files_the_one_chosen_last_is_shown(visits):
    page = open_page(visits)
    choose(page, "slow-one.png", picture(ONE))
    choose(page, "seven.png", picture(SEVEN))
    expect(answer(page)).to_contain_text("Read as 7")
    shown = ink(page)
    release(page)
    assert ink(page) == shown
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.evaluate("bitmapBytes()") <= 4 * 280 * 280, "the picture that came too late is freed"


def test_a_picture_that_comes_after_a_stroke_or_undo_or_clear_is_not_shown(visits):
    page = open_page(visits)
    choose(page, "slow-one.png", picture(ONE))
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    release(page)
    expect(answer(page)).to_contain_text("Read as 7")
    button(page, "Undo").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    for act in ("Undo", "Clear"):
        page.evaluate(WATCH_BITMAPS)
        draw(page, SCRIBBLE)
        choose(page, "slow-one.png", picture(ONE))
        button(page, act).click()
        expect(answer(page)).to_have_text("Nothing drawn yet.")
        release(page)
        expect(answer(page)).to_have_text("Nothing drawn yet.")


def test_a_photo_larger_than_the_server_takes_is_reduced_before_it_is_sent(visits):
    page = visits.open()
    choose(page, "wide.png", picture(SEVEN, 4200, 500))
    expect(answer(page)).to_contain_text("Read as 7")


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
    scale, top = shown.width / 420, shown.width / 6  # the picture is wide: above and below it the pad is empty

    def at(x, y):
        return shown.getpixel((round(x * scale), round(top + y * scale)))

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


def test_of_a_photo_that_the_browser_cannot_show_the_digit_is_shown(visits):
    page = visits.open()
    pillow_heif.register_heif_opener()
    choose(page, "IMG_7.HEIC", encode(drawn(7, size=(400, 300), centre=(330, 150), height=180), "HEIF"))
    expect(answer(page)).to_contain_text("Read as 7")
    note = page.get_by_role("status", name="Part that was read")
    expect(note).to_contain_text("This browser can't show the picture.")
    expect(note).to_contain_text("at the right of the picture")
    shown = overlay(page)
    bar = shown.getpixel((round(330 / 400 * shown.width), round((50 + 63) / 400 * shown.width)))
    assert bar[3] > 200
    assert not is_outline(bar), "the ink itself, in the pen's colour"


def test_strokes_that_were_left_out_are_dimmed(visits):
    page = visits.open()
    note = page.get_by_role("status", name="Part that was read")
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    expect(note).to_be_empty()
    page.get_by_role("slider", name="Brush").fill("3")
    draw(page, [(0.92, 0.1), (0.92, 0.11)])
    expect(note).to_have_text("The faded part of your drawing was left out.")
    shown = overlay(page)
    speck, bar = (
        shown.getpixel((round(x * shown.width), round(y * shown.width))) for x, y in ((0.92, 0.105), SEVEN[1])
    )
    assert speck[3] > 150
    assert bar[3] == 0


def test_an_uncertain_answer_says_why_and_what_to_do(visits):
    page = visits.open()
    sent = {"prediction": 2, "confidence": 60.0, "uncertain": True, "model": 1}
    sent["probabilities"] = [0.4, 0.0, 0.6, *[0.0] * 7]
    page.route("**/api/drawing/**", lambda route: route.fulfill(json=sent))
    for reason, words in {
        "low_confidence": "Two digits are likely. Write it more clearly.",
        "not_a_digit": "This doesn't look like a digit. Write one from 0 to 9.",
        "several_digits": "This looks like several digits. Write one at a time.",
        "cut_off": "The digit is cut off at the edge. Leave some space around it.",
        "surroundings": "Something around the digit may have been read with it.",
        "a reason of a later version": "This may not be a digit.",
    }.items():
        sent["uncertain_reason"] = reason
        draw(page)
        expect(answer(page)).to_contain_text(words)
        expect(answer(page)).to_contain_text("Perhaps 2, 60.0% sure.")
