"""Pictures on the page: how they get there, what they cost in memory, and which of two acts wins."""

import base64
import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.support.browser import settle
from tests.support.page import DROP, SCRIBBLE, SEVEN, alert, answer, button, choose, draw, ink, pad

pytestmark = pytest.mark.browser
ONE = [(0.5, 0.2), (0.5, 0.8)]
MOST_BYTES = 40_000_000  # of the pictures that undo keeps
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


def open_page(visits, **options):
    page = visits.open(**options)
    page.evaluate(WATCH_BITMAPS)
    return page


def expect_other_ink(page, before):
    page.wait_for_function("([canvas, old]) => canvas.toDataURL() !== old", arg=[pad(page).element_handle(), before])


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
    seven = ink(page)
    for name, content, said in [
        ("notes.png", b"shopping: milk, bread", "Unsupported file. Use PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP or TIFF."),
        ("cut.png", picture(ONE)[:33], "This file is damaged."),
        ("tiny.png", picture(ONE, 6, 6), "This picture is too small."),
    ]:
        choose(page, name, content)
        expect(alert(page, said)).to_be_visible()
        expect(answer(page)).to_contain_text("Read as 7")
        assert ink(page) == seven
    draw(page, ONE)
    expect(alert(page, "too small")).to_have_count(0)


def test_the_note_is_as_before_when_slow_files_were_refused(visits):
    page = visits.open(expected=["status of 415"])
    note = page.locator("[data-segmentation-note]")
    draw(page, SEVEN)
    expect(answer(page)).to_contain_text("Read as 7")
    before = note.text_content()
    held = []
    page.route("**/api/number/**", lambda route: held.append(route))
    for _ in range(2):
        choose(page, "notes.png", b"shopping: milk, bread")
        expect(note).to_have_text("Opening the picture…")
    refusal = {"code": "unsupported_image", "message": "Unsupported file."}
    page.route("**/api/number/**", lambda route: route.fulfill(status=415, json=refusal))  # for later ones
    for route in held:
        route.fulfill(status=415, json=refusal)
    expect(alert(page, "Unsupported file.")).to_be_visible()
    expect(note).to_have_text(before)


def test_photos_are_kept_small_and_their_memory_is_given_back(visits):
    page = open_page(visits, expected=["status of 422"])
    page.route("**/api/number/**", lambda route: route.fulfill(status=422, json={"code": "blank_drawing"}))
    photos = [picture(SEVEN, 2000, 3000), picture(ONE, 3000, 2000)]
    for number in range(13):
        before = ink(page)
        choose(page, f"photo-{number}.png", photos[number % 2])
        expect_other_ink(page, before)
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


def test_a_picture_that_only_the_browser_decodes_is_sent_as_one_that_the_server_reads(visits):
    page = visits.open()
    line = "M30 25H70L50 85"
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path d="{line}" fill="none" stroke="#000" />'
    svg = svg.replace(" />", ' stroke-width="8"/></svg>')
    page.get_by_label("Use a photo").set_input_files(
        {"name": "seven.svg", "mimeType": "image/svg+xml", "buffer": svg.encode()}
    )
    expect(answer(page)).to_contain_text("Read as 7")


def test_strokes_on_a_picture_are_read_with_it_and_erased_without_it(visits):
    page = visits.open()
    page.emulate_media(color_scheme="dark")  # the pen is light then, but not on paper
    choose(page, "one.png", picture(ONE, 560, 280))
    expect(answer(page)).to_contain_text("Read as 1,")
    one = ink(page)
    beside = [(x + 0.5, y) for x, y in SEVEN]
    draw(page, beside)
    expect(answer(page)).to_contain_text("Read as 17")
    both = ink(page)
    draw(page, [(2, 0.2), (2, 0.8)])
    expect(page.get_by_text("Draw on the picture, or clear it first.")).to_be_visible()
    assert ink(page) == both
    button(page, "Eraser").click()
    draw(page, [(-0.1, 0.5), (0.1, 0.5)])
    draw(page, beside)
    expect(answer(page)).to_contain_text("Read as 1,")
    assert ink(page) == one, "the eraser leaves the picture"
    for said, seen in (("Read as 17", both), ("Read as 1,", one)):
        button(page, "Undo").click()
        expect(answer(page)).to_contain_text(said)
        assert ink(page) == seen
    button(page, "Undo").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    button(page, "Redo").click()
    expect(answer(page)).to_contain_text("Read as 1,")


def test_the_drawing_is_there_after_another_page_and_a_reload(visits):
    page = visits.open()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    seven = ink(page)
    page.get_by_role("link", name="Runs", exact=True).click()
    page.wait_for_url("**/runs/**")  # the list adds its page and order to the address
    page.go_back()
    expect(answer(page)).to_contain_text("Read as 7")
    assert ink(page) == seven
    choose(page, "one.png", picture(ONE, 560, 280))
    expect(answer(page)).to_contain_text("Read as 1,")
    draw(page, [(x + 0.5, y) for x, y in SEVEN])
    expect(answer(page)).to_contain_text("Read as 17")
    page.goto(visits.url + "/admin/login/")
    page.goto(visits.url)
    expect(answer(page)).to_contain_text("Read as 17")
    button(page, "Clear").click()
    page.reload()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    # What another version of the page has stored keeps nobody from drawing.
    store = """addEventListener("pagehide", () => sessionStorage.setItem("drawing", '{"strokes": [{"points": []}]}'))"""
    page.evaluate(store)
    page.reload()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")


def test_the_camera_takes_a_photo_or_says_why_not(visits):
    page = visits.open(expected=["status of 422"])
    blank = ink(page)
    button(page, "Camera").click()
    expect(alert(page, "The browser doesn't let this page use the camera.")).to_be_visible()
    button(page, "Close").click()
    expect(button(page, "Camera")).to_be_focused()
    page.context.grant_permissions(["camera"])
    button(page, "Camera").click()
    with page.expect_response("**/api/number/**"):
        button(page, "Take photo").click(timeout=30_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect_other_ink(page, blank)
    page.context.clear_permissions()
    telephone = visits.open(width=390, height=844, has_touch=True, is_mobile=True)
    with telephone.expect_file_chooser() as chooser:
        button(telephone, "Camera").tap()
    chooser.value.set_files({"name": "seven.png", "mimeType": "image/png", "buffer": picture(SEVEN)})
    expect(answer(telephone)).to_contain_text("Read as 7")
