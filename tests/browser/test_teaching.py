"""A person teaches the network a hand that it misreads: corrections, their review, a run of `adapt`, its comparison."""

import pytest
from playwright.sync_api import expect

from tests.support.operator import MAKE, sign_in
from tests.support.page import PATIENCE, answer, button, draw, run_number, start, state
from tests.support.stack import running
from training.learner.config import KERAS_LEARNER
from training.starting_points import MIN_CORRECTIONS

pytestmark = pytest.mark.browser


@pytest.fixture(name="stack", scope="module")
def start_stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teaching")
    with running(folder, learner=KERAS_LEARNER, CORRECTIONS_REVIEWED="true") as stack:
        stack.manage("shell", "-c", MAKE)
        yield stack


def nine(number):
    """A nine as on a digital clock, which the shipped model reads as a 7. Each number gives another one."""
    right, middle, end = 0.65 + 0.004 * number, 0.46 + 0.002 * number, 0.76 - 0.003 * number
    return [(right, middle), (0.35, middle), (0.35, 0.2), (right, 0.2), (right, end)]


def correct(page, points, label):
    draw(page, points)
    page.get_by_role("group", name="Wrong? It was").get_by_role("button", name=label, exact=True).click()
    expect(page.get_by_role("status", name="Correction")).to_contain_text("A person will review it")


def review_all(page, url):
    """Accept every pending correction on the wall."""
    page.goto(f"{url}/admin/recognition/correction/")
    wall = page.get_by_role("group", name="Decide on the selected corrections")
    wall.get_by_role("checkbox", name="Select all").check()
    expect(wall).to_contain_text(f"{MIN_CORRECTIONS} selected")
    wall.get_by_role("button", name="Accept").click()
    expect(wall.get_by_role("status")).to_contain_text(f"{MIN_CORRECTIONS} corrections accepted.")


def adapt(page, url):
    """Train with the preset adapt, and return the run's number."""
    page.goto(url)
    page.get_by_label("Preset").select_option("adapt")
    start(page, Epochs=1, Seed=1)  # enough for ten pictures of one kind
    expect(state(page)).to_contain_text("in progress", timeout=PATIENCE)
    number = run_number(page)
    expect(state(page)).to_contain_text("completed", timeout=PATIENCE)
    return number


def put_into_service(page, url, number):
    page.goto(f"{url}/admin/training/trainingrun/{number}/change/")
    page.get_by_role("link", name="Put into service").click()
    expect(page.get_by_role("button", name="Put into service")).to_be_visible()
    if (reason := page.get_by_label("Reason")).count():
        reason.fill("Ten of us write nines like this.")
    page.get_by_role("button", name="Put into service").click()
    expect(page.get_by_text("Model 2 is in service.", exact=True)).to_be_visible()


def test_a_misread_hand_is_corrected_reviewed_learnt_and_then_read(visits, stack):
    page = visits.open(locale="en-GB")
    draw(page, nine(MIN_CORRECTIONS))
    expect(answer(page)).to_contain_text("Read as 7")
    for number in range(MIN_CORRECTIONS):
        button(page, "Clear").click()
        correct(page, nine(number), "9")

    page.goto(f"{stack.url}/admin/")
    sign_in(page)
    review_all(page, stack.url)
    number = adapt(page, stack.url)
    page.goto(f"{stack.url}/runs/{number}/")
    comparison = page.get_by_role("region", name="Champion against challenger")
    expect(comparison).to_contain_text("model 2")  # three test digits more or less, and it would not allow it
    held_out = comparison.get_by_role("article").filter(has_text="Held-out corrections")
    expect(held_out).to_contain_text("before, 0 after.")
    put_into_service(page, stack.url, number)

    page.goto(stack.url)
    draw(page, nine(MIN_CORRECTIONS))
    expect(answer(page)).to_contain_text("Read as 9")
