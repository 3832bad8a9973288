"""Photos on the page: what they cost in memory, and which of two acts wins."""

import io

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.support.browser import SCRIBBLE, SEVEN, answer, draw, launch_chromium, pad, watch_visits  # noqa: F401

pytestmark = pytest.mark.browser
ONE = [(0.5, 0.2), (0.5, 0.8)]
MOST_BYTES = 40_000_000  # of the pictures that undo keeps

# Remembers every bitmap that the page makes; a closed one has no size. A file named slow-… takes a while to decode.
WATCH_BITMAPS = """
const bitmaps = [];
const make = createImageBitmap;
window.createImageBitmap = async (source, ...rest) => {
  if (source.name?.startsWith("slow-")) await new Promise((resolve) => setTimeout(resolve, 800));
  const bitmap = await make(source, ...rest);
  bitmaps.push(bitmap);
  return bitmap;
};
window.bitmapBytes = () => bitmaps.reduce((sum, { width, height }) => sum + 4 * width * height, 0);
window.bitmapsMade = () => bitmaps.length;
"""


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
    page = visits.prepare(**options)
    page.add_init_script(WATCH_BITMAPS)
    page.goto(visits.url)
    return page


def settle(page):
    """Past the slow file, and past what it may have caused."""
    page.wait_for_timeout(1500)
    page.mouse.move(0, 0)
    expect(answer(page)).to_contain_text("sure")


def test_photos_are_kept_small_and_their_memory_is_given_back(visits):
    page = open_page(visits, expected=["status of 422"])
    page.route("**/api/drawing/**", lambda route: route.fulfill(status=422, json={"code": "blank_drawing"}))
    photos = [picture(SEVEN, 2000, 3000), picture(ONE, 3000, 2000)]
    for number in range(16):
        made = page.evaluate("bitmapsMade()")
        choose(page, f"photo-{number}.png", photos[number % 2])
        page.wait_for_function("before => bitmapsMade() > before", arg=made)
        page.wait_for_timeout(100)
    page.get_by_role("button", name="Clear").click()
    assert page.evaluate("bitmapBytes()") < MOST_BYTES
    undo = page.get_by_role("button", name="Undo")
    blank = pad(page).screenshot()
    undo.click()
    page.mouse.move(0, 0)
    assert pad(page).screenshot() != blank, "Clear can be undone, with the photo"
    undone = 1
    while undo.is_enabled():
        undo.click()
        undone += 1
    assert 3 <= undone <= 16
    draw(page)
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()
    assert page.evaluate("bitmapBytes()") <= 4 * 1024 * 1024, "what can no longer be brought back is freed"


def test_of_two_files_the_one_chosen_last_is_shown(visits):
    page = open_page(visits)
    choose(page, "slow-one.png", picture(ONE))
    choose(page, "seven.png", picture(SEVEN))
    expect(answer(page)).to_contain_text("Read as 7")
    shown = pad(page).screenshot()
    settle(page)
    assert pad(page).screenshot() == shown
    expect(answer(page)).to_contain_text("Read as 7")
    assert page.evaluate("bitmapBytes()") <= 4 * 280 * 280, "the picture that came too late is freed"


def test_a_stroke_drawn_while_a_picture_decodes_stays(visits):
    page = open_page(visits)
    choose(page, "slow-one.png", picture(ONE))
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    settle(page)
    expect(answer(page)).to_contain_text("Read as 7")
    page.get_by_role("button", name="Undo").click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")


@pytest.mark.parametrize("button", ["Undo", "Clear"])
def test_a_picture_that_comes_after_undo_or_clear_is_not_shown(visits, button):
    page = open_page(visits)
    draw(page, SCRIBBLE)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    choose(page, "slow-one.png", picture(ONE))
    page.get_by_role("button", name=button).click()
    expect(answer(page)).to_have_text("Nothing drawn yet.")
    page.wait_for_timeout(1500)
    expect(answer(page)).to_have_text("Nothing drawn yet.")


def test_a_photo_larger_than_the_server_takes_is_reduced_before_it_is_sent(visits):
    page = open_page(visits)
    choose(page, "wide.png", picture(SEVEN, 4200, 4200))
    expect(answer(page)).to_contain_text("Read as 7")
