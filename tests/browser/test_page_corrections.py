"""Corrections on the page: a person says what a drawing shows, by mouse, touch and keyboard, and takes it back."""

import base64
import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, settle
from tests.support.drawings import draw as drawn
from tests.support.drawings import encode
from tests.support.page import DROP, SEVEN, answer, button, draw, pad, path, touch

pytestmark = pytest.mark.browser
CORRECTIONS = "**/api/corrections/**"
NARROW_SEVEN = [(x * 0.9, y) for x, y in SEVEN]
ADAPT = "The next training run with the preset “adapt” will use it."
SMALLEST_TARGET = 44  # CSS pixels, for a finger


def question(page):
    return page.get_by_role("group", name="Wrong? It was")


def thanks(page):
    return page.get_by_role("status", name="Correction")


def label(page, name):
    return question(page).get_by_role("button", name=name, exact=True)


def overlap(box, other):
    return all(
        box[start] < other[start] + other[length] and other[start] < box[start] + box[length]
        for start, length in (("x", "width"), ("y", "height"))
    )


def take_back(page):
    """Undo, so that the next test can send the same."""
    button(page, "Undo correction").click()
    expect(thanks(page)).to_have_text("Undone. The label was deleted.")


def sent_corrections(page):
    """A list that gets the method of every request about corrections."""
    methods = []
    page.on("request", lambda request: "/api/corrections/" in request.url and methods.append(request.method))
    return methods


def count_accepted(stack):
    return sum(stack.http.get("/api/corrections/summary/").json()["accepted"].values())


def refuse(page, status, code, message="", headers=None):
    page.unroute_all()
    body = {"code": code, "message": message}
    page.route(CORRECTIONS, lambda route: route.fulfill(status=status, json=body, headers=headers))


def test_a_click_corrects_undo_takes_it_back_and_a_corrected_drawing_is_not_asked_about_again(visits, stack):
    page = visits.open()
    sent, accepted = sent_corrections(page), count_accepted(stack)
    expect(question(page)).to_be_hidden()
    draw(page)
    label(page, "1").click()
    expect(thanks(page)).to_have_text(f"Thank you. Saved as “1”. {ADAPT}")
    expect(question(page)).to_be_hidden()
    assert count_accepted(stack) == accepted + 1
    take_back(page)
    expect(label(page, "1")).to_be_focused()
    assert count_accepted(stack) == accepted
    label(page, "not a digit").click()
    expect(thanks(page)).to_contain_text("Saved as “not a digit”.")
    assert sent == ["POST", "DELETE", "POST"]

    draw(page, [(0.5, 0.5), (0.6, 0.5)])
    expect(question(page)).to_be_visible()
    expect(thanks(page)).to_be_empty()
    for again in ("Undo", "Clear", "Undo"):
        page.get_by_role("button", name=again, exact=True).first.click()
        if again == "Clear":
            expect(answer(page)).to_have_text("Nothing drawn yet.")
            expect(thanks(page)).to_be_empty()
        else:
            expect(thanks(page)).to_contain_text("Saved as “not a digit”.")
        expect(question(page)).to_be_hidden()
    button(page, "Clear").click()
    draw(page)
    expect(thanks(page)).to_contain_text("Saved as “not a digit”.")
    assert sent == ["POST", "DELETE", "POST"]
    take_back(page)


def test_a_finger_corrects_and_nothing_moves(visits):
    page = visits.open(width=390, height=844, has_touch=True, is_mobile=True)
    below = page.get_by_role("heading", name="Watch it learn")
    top = below.bounding_box()["y"] + page.evaluate("scrollY")
    touch(page, *([point] for point in path(SEVEN)))
    expect(answer(page)).to_contain_text("Read as 7")
    labels = [one.bounding_box() for one in question(page).get_by_role("button").all()]
    assert len(labels) == 11
    label(page, "2").tap()
    expect(thanks(page)).to_contain_text("Saved as “2”.")
    undo = button(page, "Undo correction").bounding_box()
    assert all(min(box["width"], box["height"]) >= SMALLEST_TARGET for box in [*labels, undo])
    assert not any(overlap(box, undo) for box in labels), "a double tap on one would press the other"
    assert below.bounding_box()["y"] + page.evaluate("scrollY") == top
    button(page, "Undo correction").tap()
    expect(question(page)).to_be_visible()
    assert below.bounding_box()["y"] + page.evaluate("scrollY") == top


def test_keys_correct_where_the_focus_is_on_the_pad_or_the_labels_and_nowhere_else(visits):
    page = visits.open()
    sent = sent_corrections(page)
    pad(page).focus()
    page.keyboard.press("3")
    for key in ["ArrowLeft"] * 6 + ["Space"] + ["ArrowRight"] * 12 + ["ArrowDown"] * 4:
        page.keyboard.press(key)
    page.keyboard.press("3")
    for move in (page.keyboard.down, page.keyboard.up) * 6:
        move("ArrowDown")
        move("ArrowLeft")
    page.keyboard.press("Enter")
    expect(question(page)).to_be_visible()
    button(page, "Start training").focus()
    page.keyboard.press("3")
    assert sent == [], "no answer, an unfinished stroke, another part of the page"

    pad(page).focus()
    page.keyboard.press("3")
    expect(thanks(page)).to_contain_text("Saved as “3”.")
    expect(pad(page)).to_be_focused()
    button(page, "Undo correction").focus()
    page.keyboard.press("Enter")
    expect(label(page, "3")).to_be_focused()
    page.keyboard.press("n")
    expect(thanks(page)).to_contain_text("Saved as “not a digit”.")
    expect(button(page, "Undo correction")).to_be_focused()
    page.keyboard.press("Space")
    expect(label(page, "not a digit")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(thanks(page)).to_contain_text("Saved as “0”.")
    assert sent == ["POST", "DELETE"] * 2 + ["POST"]
    take_back(page)


def test_a_photo_is_corrected_as_it_was_sent(visits, stack):
    photo = encode(drawn(7, size=(420, 280), centre=(110, 140), height=180))
    form = {"data": {"label": "7"}, "files": {"drawing": photo}}
    known = stack.http.post("/api/corrections/", **form).json()
    page = visits.open()
    page.evaluate(DROP, base64.b64encode(photo).decode())
    with page.expect_response(CORRECTIONS) as answered:
        label(page, "7").click()
    assert (answered.value.status, answered.value.json()["id"]) == (200, known["id"]), "the same picture"
    expect(thanks(page)).to_have_text(f"Thank you. This drawing was already saved as “7”. {ADAPT}")
    expect(button(page, "Undo correction")).to_be_hidden()
    stack.http.delete(f"/api/corrections/{known['id']}/", params={"undo": known["undo"]})


def test_a_server_that_never_answers_is_away(visits):
    page = visits.open()
    draw(page, NARROW_SEVEN)
    expect(question(page)).to_be_visible()
    page.evaluate("() => { const of = AbortSignal.timeout; AbortSignal.timeout = () => of.call(AbortSignal, 500); }")
    page.route(CORRECTIONS, lambda route: None)
    label(page, "4").click()
    expect(thanks(page)).to_contain_text("The server can't be reached.")


def test_after_a_refusal_the_labels_stay_and_can_be_used_again(visits):
    page = visits.open(expected=["status of", "ERR_FAILED"])
    draw(page, NARROW_SEVEN)
    refuse(page, 429, "throttled", headers={"Retry-After": "30"})
    label(page, "4").click()
    expect(thanks(page)).to_have_text("Too many requests. Try again in 30 s.")
    page.unroute_all()
    page.route(CORRECTIONS, lambda route: route.abort())
    label(page, "4").click()
    expect(thanks(page)).to_contain_text("The server can't be reached.")
    page.unroute_all()
    label(page, "4").click()
    expect(thanks(page)).to_contain_text("Saved as “4”.")
    page.route(CORRECTIONS, lambda route: route.abort())
    button(page, "Undo correction").click()
    expect(thanks(page)).to_contain_text("The server can't be reached.")
    page.unroute_all()
    take_back(page)
    label(page, "4").click()
    expect(thanks(page)).to_contain_text("Saved as “4”.")
    refuse(page, 404, "no_correction")
    button(page, "Undo correction").click()
    expect(thanks(page)).to_have_text("This correction can no longer be undone.")
    expect(button(page, "Undo correction")).to_be_hidden()


def test_a_label_that_could_not_be_saved_is_reported_under_the_next_drawing(visits):
    page = visits.open(expected=["status of"])
    held = []
    page.route(CORRECTIONS, lambda route: held.append(route))
    draw(page)
    with page.expect_request(CORRECTIONS):
        label(page, "5").click()
    label(page, "6").click()
    draw(page, [(0.1, 0.1), (0.1, 0.9)])
    expect(question(page)).to_be_visible()
    assert len(held) == 1, "the first label counts while it is on its way"
    held[0].fulfill(status=503, json={"code": "unavailable", "message": "Try again later."})
    expect(thanks(page)).to_have_text("The label of your earlier drawing was not saved. Try again later.")


def test_closed_corrections_are_not_asked_for_again(visits):
    page = visits.open(expected=["status of 403"])
    refuse(page, 403, "corrections_closed", message="This site does not accept corrections.")
    draw(page)
    label(page, "5").click()
    expect(thanks(page)).to_have_text("This site does not accept corrections.")
    expect(question(page)).to_be_hidden()
    button(page, "Clear").click()
    draw(page)
    expect(answer(page)).to_contain_text("Read as 7")
    settle(page)
    expect(question(page)).to_be_hidden()
    expect(thanks(page)).to_be_empty()


def test_a_pending_correction_waits_for_a_person_and_nothing_keeps_anybody_out(visits):
    page = visits.open()
    pending = {"id": 1, "state": "pending", "label": 1, "predicted": 7, "model": 1, "undo": "1:token"}
    page.route(CORRECTIONS, lambda route: route.fulfill(status=201, json=pending))
    draw(page)
    expect(question(page)).to_be_visible()
    check_accessibility(page, 1280, 320, context=".answer")
    label(page, "1").click()
    expect(thanks(page)).to_have_text(re.compile("Saved as “1”. A person will review it before the network learns"))
    check_accessibility(page, 1280, 320, context=".answer")


def test_a_site_that_takes_no_corrections_does_not_ask(client, settings):
    assert b"Wrong? It was" in client.get("/", headers={"accept": "text/html"}).content
    settings.CORRECTIONS_OPEN = False
    closed = client.get("/", headers={"accept": "text/html"}).content
    assert b"Wrong? It was" not in closed
    assert b"corrects the answer" not in closed
