"""The admin in a real browser: its live front page, its questions, and nothing that the policy would refuse."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import expect

from tests.support.browser import check_accessibility, module_url, overflow
from tests.support.operator import NAME, PASSWORD
from tests.support.page import PATIENCE, button, start
from tests.support.shipped import HISTORY, SHIPPED_EPOCHS

pytestmark = pytest.mark.browser
FIRST, LAST = (f"{HISTORY['epochs'][place]['val_accuracy']:.2%}".rstrip("%") for place in (0, -1))
MISREAD = round(10_000 * (1 - HISTORY["test_accuracy"]))
FOURS_AS_NINES = HISTORY["confusion"][4][9]
HEIGHT = "async ([url, value]) => (await import(url)).accuracyHeight(value)"


def test_the_front_page_follows_a_run(operator, stack):
    page = operator()
    training = page.get_by_role("region", name="Training", exact=True)
    expect(page.get_by_role("region", name="Health")).to_contain_text("1 worker")
    number = stack.train(epochs=100, samples=16_384)
    expect(training).to_contain_text(re.compile(r"is in epoch \d+ of 100"), timeout=PATIENCE)
    expect(training.get_by_role("progressbar")).to_be_visible()
    training.get_by_role("link", name=f"Run {number}").click()
    page.get_by_role("link", name="Stop run").click()
    expect(page.get_by_text("will stop")).to_be_visible()
    page.get_by_role("button", name="Stop run").click()
    expect(page.get_by_text(f"run {number} is stopping.")).to_be_visible()
    stack.ended(number)
    page.goto(stack.url + "/admin/")
    expect(training).to_contain_text(f"Last run: {number}, stopped.")
    page.goto(f"{stack.url}/runs/{number}/")
    expect(page.get_by_role("region", name="Details")).to_contain_text(f"Stopped by{NAME}, in the admin")
    expect(page.get_by_text(f"Stopped by {NAME} after")).to_be_visible()
    expect(page.get_by_text("Requested by a visitor, ")).to_have_attribute("title", re.compile(r"\d\d:\d\d:\d\d \w+"))


def test_a_runs_page_shows_its_charts_and_test_digits(operator):
    page = operator("training/trainingrun/1/change/")
    expect(
        page.get_by_role(
            "img", name=re.compile(f"^Accuracy by epoch.*validation: {SHIPPED_EPOCHS} epochs, last {LAST}%")
        )
    ).to_be_visible()
    expect(page.get_by_role("region", name=f"{MISREAD} misread test digits").get_by_role("img")).to_have_count(MISREAD)
    page.get_by_role("button", name=f"{FOURS_AS_NINES}: 4 read as 9").click()
    expect(page.get_by_role("region", name=f"{FOURS_AS_NINES} fours read as 9").get_by_role("img")).to_have_count(
        FOURS_AS_NINES
    )


def test_the_list_of_runs_shows_all_its_columns_and_times_in_the_readers_zone(operator):
    page = operator("training/trainingrun/", timezone_id="Asia/Kolkata")
    curve = page.get_by_role("img", name=f"Validation accuracy from {FIRST}% to {LAST}%")
    expect(curve.locator("path")).to_have_attribute("d", re.compile("^M3"))
    url = module_url(page, "admin/sparkline")
    high, low = (float(page.evaluate(HEIGHT, [url, value])) for value in (0.99, 0.11))
    assert low < 0.05 < 0.7 < high < 0.9, "the same scale in all rows: one of 11% lies at the bottom"
    assert float(curve.locator("circle").get_attribute("cy")) < 6, "99.4% is near the top"
    expect(page.get_by_text("Times in Asia/Calcutta (UTC+5:30)")).to_be_visible()
    shipped = page.get_by_role("row").filter(has_text="shipped with Digits")
    queued = shipped.locator("time")
    at = datetime.fromisoformat(queued.get_attribute("datetime")).astimezone(timezone(timedelta(hours=5.5)))
    expect(queued).to_have_text(re.compile(f"{at:%H:%M}$"))
    expect(queued).to_have_attribute("title", re.compile(r"GMT\+5:30|India Standard Time|IST"))
    table = page.locator(".results")
    for width in (1280, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert table.evaluate("(results) => results.scrollWidth - results.clientWidth") <= 0, width
        for text in (queued, shipped.get_by_text("in service"), shipped.get_by_role("link", name="model 1")):
            box = text.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
    expect(shipped.get_by_role("cell", name=f"Requested {queued.inner_text()}")).to_be_visible()


def test_the_list_of_runs_has_room_for_long_names_and_tags(operator, stack):
    """And the newest runs on a phone show their names."""
    name, tags = (
        "Felt pen, wider strokes, second attempt with less dropout",
        ["a-rather-long-tag-of-forty-characters-xx"],
    )
    newest_run = stack.http.get("/api/runs/").json()["results"][0]["id"]
    run = f"/api/runs/{newest_run}/"
    stack.http.patch(run, json={"name": name, "tags": [*tags, "nightly"], "baseline": True}).raise_for_status()
    try:
        page = operator("training/trainingrun/", width=1280, height=800)
        table = page.locator(".results")
        assert table.evaluate("(results) => results.scrollWidth - results.clientWidth") <= 0
        expect(page.get_by_text(name)).to_have_attribute("title", name)
        assert page.get_by_text(name).evaluate("(span) => getComputedStyle(span).webkitLineClamp") == "2"
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(f"{stack.url}/admin/")
        newest = page.get_by_role("region", name="Newest runs")
        expect(newest.get_by_text(name)).to_be_visible()
        assert newest.evaluate("(region) => region.scrollWidth - region.clientWidth") <= 0
        page.goto(f"{stack.url}/admin/training/trainingrun/{newest_run}/change/")
        tools = [box["x"] for tool in page.locator(".object-tools li").all() if (box := tool.bounding_box())]
        assert tools.count(min(tools)) >= 2, "each row of tools begins where the first does"
    finally:
        stack.http.patch(run, json={"name": "", "tags": [], "baseline": False}).raise_for_status()


@pytest.mark.parametrize(
    "path",
    [
        *("", "training/trainingrun/", "training/trainingrun/1/change/"),
        *(
            "training/trainingrun/1/act/train_with_changes/",
            "recognition/modelversion/",
            "accounts/accesstoken/add/",
            "nowhere/",
        ),
    ],
)
def test_it_fits_a_phone_keeps_to_the_policy_and_keeps_nobody_out(operator, visits, path):
    visits.expected += ["status of 404"] if path == "nowhere/" else []
    page = operator(path, width=360, height=740)
    page.wait_for_load_state("networkidle")
    assert overflow(page) == 0
    assert not visits.complaints
    visits.expected += ["inline style", "preload assets"]  # axe's own doing
    widths = (1280,) if path.endswith("1/change/") else (1280, 320)  # a long page: axe takes seconds
    check_accessibility(page, *widths, context="#content")


def test_a_visitor_signs_in_and_returns_with_the_settings(visits, account):
    page = visits.prepare(expected=["status of 401", "status of 403"], locale="de-DE")  # signed in nowhere else
    refusal = {"status": 401, "json": {"code": "not_authenticated", "message": "x"}}
    page.route("**/api/retrain_model/", lambda route: route.fulfill(**refusal))
    page.goto(f"{visits.url}/?preset=fast&epochs=3")
    form = page.get_by_role("form", name="Training settings")
    expect(form.get_by_role("spinbutton", name="Epochs")).to_have_value("3")  # the form is ready
    start(page, Epochs=2, Seed=7)
    form.get_by_role("link", name="Sign in").click()
    check_accessibility(page, 320, 1280)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill("wrong")
    button(page, "Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong name or password. Both distinguish upper and lower case.")
    page.get_by_label("Password").fill(PASSWORD)
    button(page, "Sign in").click()
    expect(page).to_have_url(f"{visits.url}/?preset=fast&epochs=3#train")
    expect(form.get_by_label("Preset")).to_have_value("fast")
    expect(form.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
    expect(form.get_by_role("spinbutton", name="Seed")).to_have_value("7")
    refusal |= {"status": 403, "json": {"code": "permission_denied", "message": "x"}}
    button(page, "Start training").click()
    expect(form.get_by_role("alert")).to_have_text(f"{NAME} has no permission to train here. Ask the operator.")
    page.reload()
    expect(form.get_by_role("spinbutton", name="Epochs"), "they are restored once").to_have_value("3")
    button(page, "Sign out").click()
    expect(page.get_by_role("navigation").get_by_role("link", name="Sign in")).to_be_visible()
