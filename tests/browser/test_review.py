"""The wall of corrections in a real browser: chosen by mouse and keys, decided by single keys, undone."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, overflow
from tests.support.prepared import run as run_python

pytestmark = pytest.mark.browser
WALL = "recognition/correction/?o=-1"
COUNT = 12


@pytest.fixture(name="wall")
def open_wall(operator, shared_stack):
    """A function that opens the wall of twelve pending corrections, all labelled 7."""
    values = json.dumps({"count": COUNT, "state": "pending", "label": 7, "alone": True})
    run_python(shared_stack.environment, "-m", "tests.support.accepted_corrections", values)
    return lambda **options: operator(WALL, **options)


def tile(page, place):
    return page.locator("[data-tile]").nth(place)


def box(page, place):
    return tile(page, place).get_by_role("checkbox")


def selected(page):
    return page.locator("[data-tile]:has(input:checked)").count()


def shows(page, place, label, state):
    expect(tile(page, place).locator("[data-tile-label]")).to_have_text(label)
    expect(tile(page, place).locator("[data-tile-state]")).to_have_text(state)


def test_single_keys_decide_and_move_on(wall):
    page = wall()
    box(page, 0).focus()
    page.keyboard.press("3")
    shows(page, 0, "3", "accepted")
    expect(box(page, 1)).to_be_focused()
    page.keyboard.press("n")
    shows(page, 1, "no digit", "accepted")
    page.keyboard.press("r")
    shows(page, 2, "7", "rejected")
    page.keyboard.press("a")
    shows(page, 3, "7", "accepted")
    page.keyboard.press("u")
    shows(page, 3, "7", "")
    expect(page.get_by_role("status").last).to_have_text("1 correction restored.")
    page.keyboard.press("u")
    shows(page, 2, "7", "")
    page.reload()
    expect(page.locator("[data-tile]")).to_have_count(COUNT - 2)


def test_arrows_move_and_space_selects(wall):
    page = wall()
    box(page, 0).focus()
    page.keyboard.press("ArrowRight")
    expect(box(page, 1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(box(page, 1)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert selected(page) == 3
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("9")
    for place in (1, 2, 3):
        shows(page, place, "9", "accepted")
    assert selected(page) == 0


def test_the_mouse_selects_one_a_range_and_all(wall):
    page = wall()
    tile(page, 1).locator("img").click()
    tile(page, 4).locator("img").click(modifiers=["Shift"])
    assert selected(page) == 4
    page.get_by_label("4 selected").check()
    assert selected(page) == COUNT
    page.get_by_label(f"{COUNT} selected").uncheck()
    assert selected(page) == 0
    tile(page, 2).locator("img").hover()
    page.mouse.down()
    tile(page, 5).locator("img").hover()
    tile(page, 4).locator("img").hover()
    page.mouse.up()
    assert selected(page) == 3
    page.get_by_role("button", name="Reject").click()
    for place in (2, 3, 4):
        shows(page, place, "7", "rejected")
    shows(page, 5, "7", "")
    page.get_by_role("button", name="Undo").click()
    shows(page, 2, "7", "")


def test_when_all_are_decided_the_next_ones_are_offered(wall):
    page = wall()
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="Relabel as 4").click()
    expect(page.get_by_role("status").last).to_have_text(f"{COUNT} corrections relabelled “4” and accepted.")
    page.get_by_role("link", name="Show the next pictures").click()
    expect(page.get_by_text("No corrections here.")).to_be_visible()


def test_without_javascript_it_is_a_form(wall):
    page = wall(java_script_enabled=False)
    box(page, 0).check()
    box(page, 2).check()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("2 corrections accepted.")).to_be_visible()
    expect(page.locator("[data-tile]")).to_have_count(COUNT - 2)
    assert re.search(r"\?o=-1$", page.url)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-tile]")).to_have_count(COUNT)


def test_it_fits_a_phone_keeps_to_the_policy_and_keeps_nobody_out(wall, visits):
    page = wall(width=360, height=740)
    page.wait_for_load_state("networkidle")
    assert overflow(page) == 0
    assert not visits.complaints
    visits.expected += ["inline style", "preload assets"]  # axe's own doing
    page.get_by_label("Select all").check()
    check_accessibility(page, 1280, 390, context="#content")
    page.locator(".tile-link").first.click()
    check_accessibility(page, 1280, context="#content")
