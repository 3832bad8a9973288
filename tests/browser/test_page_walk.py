"""A walk through the page by keyboard alone, as the accessibility tree tells it: a correction, a number and a run."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import RUN, epoch, snapshot
from tests.support.keyboard import type_number
from tests.support.page import pad, run_panel

pytestmark = pytest.mark.browser

DIGIT = """
- application "Drawing area"
- status "Pen": /Pen up/
- status "Prediction": /Read as 1, 9\\d\\.\\d% sure/
- group "Probability of each digit":
  - meter "1": /9\\d\\.\\d% 1/
- group "Wrong? It was":
  - button "not a digit"
  - button "7"
"""
CORRECTED = """
- button "Undo correction"
- status "Correction": /Saved as “7”/
"""
NUMBER = """
- status "Prediction": /Read as 98/
- group "Digits of the number":
  - button /Digit 1. 9, \\d+\\.\\d% sure/ [pressed]
  - button /Digit 2. 8, \\d+\\.\\d% sure/
- group "Digit 1 wrong? It was"
"""
WATCHED = """
- heading /Run \\d+/
- button "Stop run"
- status "Run": /epoch 2 of 5 finished, accuracy 95.00%/
- progressbar "Epochs of this run"
- progressbar "Batches of this epoch"
- figure /Accuracy/:
  - img /Accuracy by epoch. training. 2 epochs, last 95.00%/
"""


def tab_to(page, element):
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("Tab does not lead there")


def test_a_correction_and_a_number(visits):
    page = visits.open()
    drawing = page.get_by_role("region", name="Draw a number")
    tab_to(page, pad(page))
    type_number(page, "1")
    expect(drawing).to_match_aria_snapshot(DIGIT)
    tab_to(page, page.get_by_role("group", name="Wrong? It was").get_by_role("button", name="7"))
    page.keyboard.press("Enter")
    expect(drawing).to_match_aria_snapshot(CORRECTED)
    expect(page.get_by_role("button", name="Undo correction")).to_be_focused()
    page.keyboard.press("Enter")

    page = visits.open()
    tab_to(page, pad(page))
    type_number(page, "98")
    expect(page.get_by_role("region", name="Draw a number")).to_match_aria_snapshot(NUMBER)
    tab_to(page, page.get_by_role("button", name="Digit 2: 8"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Digit 2 wrong? It was")).to_be_visible()


def test_a_run_that_is_watched_and_stopped(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]))
    page.route("**/api/stop_training/", lambda route: route.fulfill(json={"message": "Stop signal sent.", "run": 1}))
    stopped = snapshot(status="interrupted", epochs=[epoch(1), epoch(2, 0.95)])["run"]
    page.route(f"**/api/runs/{RUN}/", lambda route: route.fulfill(json=stopped))
    server.send("epoch", 4, **epoch(2, 0.95))
    expect(run_panel(page)).to_match_aria_snapshot(WATCHED)
    tab_to(page, page.get_by_role("button", name="Stop run"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_match_aria_snapshot('- dialog:\n  - button "Keep training"')
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    server.send("interrupted", 5)
    expect(page.get_by_role("status", name="Run", exact=True)).to_contain_text("was stopped")
    expect(page.get_by_role("heading", name="Run 7")).to_be_focused()
