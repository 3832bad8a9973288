"""The pages of runs, as a person uses them: one run, all of them, some side by side."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import RUN, FakeSocket, check_accessibility, epoch, overflow, snapshot
from tests.support.page import alert, epoch_rows

pytestmark = pytest.mark.browser
SHIPPED = "/runs/1/"


def region(page, name):
    return page.get_by_role("region", name=re.compile(name))


def test_a_runs_page_shows_all_that_is_known_of_it_and_the_values_under_the_pointer(visits):
    page = visits.open(SHIPPED)
    expect(page.get_by_role("heading", name="Run 1", level=1)).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Test accuracy 99.55% 45 of 10,000 misread")
    expect(page.get_by_role("img", name=re.compile("^Accuracy by epoch"))).to_be_visible()
    expect(page.get_by_role("table", name="Finished epochs").get_by_role("row")).to_have_count(61)
    facts = region(page, "Details")
    expect(facts).to_contain_text("handwriting")
    expect(facts).to_contain_text("TensorFlow")
    with page.expect_download() as download:
        facts.get_by_role("link", name="Keras file").click()
    assert download.value.suggested_filename == "digits-model-1.keras"
    chart = page.get_by_role("figure").filter(has_text="Accuracy")
    expect(chart).to_contain_text("validation 99.40%")
    chart.get_by_role("img").hover(position={"x": 50, "y": 50})
    expect(chart).to_contain_text("epoch 1")
    expect(chart).to_contain_text("validation 42.60%")
    page.mouse.move(0, 0)
    expect(chart).to_contain_text("validation 99.40%")
    mistakes = region(page, "45 misread test digits")
    pictures = mistakes.get_by_role("img", name=re.compile(r"Test digit \d+: \d read as \d"))
    expect(pictures).to_have_count(45)
    assert pictures.first.evaluate("async image => { await image.decode(); return image.naturalWidth }") == 28


def test_a_cell_of_the_confusion_matrix_opens_its_digits_by_keyboard_too(visits):
    page = visits.open(SHIPPED)
    matrix = page.get_by_role("table", name=re.compile("Confusion matrix"))
    matrix.get_by_role("button", name="1: 4 read as 6").click()
    expect(region(page, "1 four read as 6").get_by_role("img")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(matrix.get_by_role("button", name="3: 4 read as 9")).to_be_focused()
    page.keyboard.press("Enter")
    expect(region(page, "3 fours read as 9").get_by_role("img", name=re.compile("4 read as 9"))).to_have_count(3)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(region(page, r"978 fours read correctly \(60 shown\)").get_by_role("img")).to_have_count(60)


def test_a_run_that_does_not_exist_has_no_page(visits):
    page = visits.prepare(expected=["status of 404"])
    assert page.goto(f"{visits.url}/runs/999999/").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Page not found.")


def test_the_form_can_be_filled_with_a_runs_parameters(visits):
    page = visits.open(SHIPPED)
    page.get_by_role("link", name="Train again with these settings").click()
    expect(page.get_by_label("Preset")).to_have_value("handwriting")
    expect(page.get_by_label("Batch size")).to_have_value("256")
    expect(page.get_by_label("Seed")).to_have_value("1")


def test_how_long_a_run_would_take_is_told_before_it_is_started(visits):
    estimate = {"fixed_seconds": 7, "seconds_per_sample": 0.0001, "seconds_per_sample_epoch": 0.0002}
    presets = [{"name": "original", "epochs": 3, "samples": 60000, "batch_size": 128, "estimate": estimate}]
    page = visits.prepare()
    page.route("**/api/presets/", lambda route: route.fulfill(json={"results": presets}))
    page.goto(visits.url)
    form = page.get_by_role("form", name="Training settings")
    expect(form).to_contain_text("About 49 s on this machine")
    page.get_by_label("Samples").fill("6000")
    expect(form).to_contain_text("About 11 s on this machine")
    page.get_by_label("Batch size").fill("16")
    expect(form).not_to_contain_text("on this machine")
    page.get_by_label("Preset").select_option("fast")
    expect(form).not_to_contain_text("on this machine")


def test_the_page_of_one_run_is_not_moved_by_another(visits):
    page = visits.prepare(faked=True)
    server = FakeSocket(page, snapshot(seq=3, epochs=[epoch(1)]))
    page.route("**/api/runs/1/", lambda route: route.fulfill(json=server.snapshot["run"]))
    page.goto(visits.url + SHIPPED)
    expect(epoch_rows(page)).to_have_count(1)
    server.send("epoch", 4, run=RUN + 1, **epoch(2))
    server.send("epoch", 4, **epoch(2))
    expect(epoch_rows(page)).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Run {RUN}")


def test_runs_are_sorted_and_the_address_remembers(visits):
    page = visits.open("/runs/")
    header = page.get_by_role("columnheader", name="Test accuracy")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile("ordering=-test_accuracy"))
    expect(page.locator("tbody").get_by_role("row").first).to_contain_text("99.55%")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Status").select_option("completed")
    expect(page).to_have_url(re.compile("status=completed"))
    page.locator("tbody").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/runs/\d+/"))
    page.go_back()
    expect(page.get_by_label("Status")).to_have_value("completed")
    expect(page.get_by_role("columnheader", name="Test accuracy")).to_have_attribute("aria-sort", "ascending")


def test_two_runs_are_picked_and_compared(visits, stack):
    number = stack.train(epochs=1, samples=256, seed=9)
    stack.ended(number)
    page = visits.open("/runs/", width=390, height=844)
    compare = page.get_by_text("Select two or more to compare")
    expect(compare).to_have_attribute("aria-disabled", "true")
    page.get_by_role("checkbox", name=f"Compare run {number}", exact=True).check()
    header = page.get_by_role("columnheader", name="Run", exact=True)
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    header.get_by_role("button").click()  # run 1 may be pages away; what is picked stays picked
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("checkbox", name="Compare run 1", exact=True).check()
    page.get_by_role("link", name="Compare 2 runs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Compare runs 1 and {number}")
    accuracy = page.get_by_role("img", name=re.compile("^Accuracy by epoch"))
    expect(accuracy).to_have_accessible_name(
        re.compile(rf"run 1, validation: 1: 42.60%.*; run {number}, training: 1: \d")
    )
    loss = page.get_by_role("img", name=re.compile("^Loss by epoch"))
    expect(loss).to_have_accessible_name(re.compile(rf"epoch. run {number}, training: 1: \d"))
    samples = page.get_by_role("row", name=re.compile("^Samples"))
    expect(samples).to_contain_text("60,000")
    expect(samples).to_contain_text("256")
    assert overflow(page) == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "Select two or more runs"),
        ("?run=1&run=x", "Select two or more runs"),
        ("?run=1&run=999999", "One of these runs does not exist."),
    ],
)
def test_fewer_than_two_runs_cannot_be_compared(visits, query, said):
    page = visits.open(f"/runs/compare/{query}", expected=["status of 404"])
    expect(alert(page, said)).to_be_visible()


@pytest.mark.parametrize("path", [SHIPPED, "/runs/", "/runs/compare/?run=1&run=1&run=2"])
def test_nothing_keeps_anybody_out(visits, path):
    page = visits.open(path, expected=["status of 404"])
    page.wait_for_load_state("networkidle")
    if path == SHIPPED:
        page.get_by_role("button", name="3: 4 read as 9").click()
        expect(region(page, "3 fours read as 9").get_by_role("img").first).to_be_visible()
    check_accessibility(page, 1280, 320)
