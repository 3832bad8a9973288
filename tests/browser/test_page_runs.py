"""The pages of runs, as a person uses them: one run, all of them, some side by side."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import RUN, FakeSocket, check_accessibility, epoch, overflow, snapshot
from tests.support.charts import CONFUSION
from tests.support.page import PATIENCE, alert, button, epoch_rows
from tests.support.shifts import record_shifts, shifts
from tests.support.shipped import HISTORY, SHIPPED_EPOCHS

pytestmark = pytest.mark.browser
SHIPPED = "/runs/1/"
ACCURACY = f"{HISTORY['test_accuracy']:.2%}"
MISREAD = round(10_000 * (1 - HISTORY["test_accuracy"]))
FIRST_EPOCH, LAST_EPOCH = HISTORY["epochs"][0], HISTORY["epochs"][-1]


def region(page, name):
    return page.get_by_role("region", name=re.compile(name))


def test_a_runs_page_shows_all_that_is_known_of_it_and_the_values_under_the_pointer(visits):
    page = visits.open(SHIPPED)
    expect(page.get_by_role("heading", name="Run 1", level=1)).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text(f"Test accuracy {ACCURACY} {MISREAD} of 10,000 misread")
    expect(page.get_by_role("img", name=re.compile("^Accuracy by epoch"))).to_be_visible()
    expect(page.get_by_role("table", name="Finished epochs").get_by_role("row")).to_have_count(1 + SHIPPED_EPOCHS)
    facts = region(page, "Details")
    expect(facts).to_contain_text("handwriting")
    expect(facts).to_contain_text("TensorFlow")
    with page.expect_download() as download:
        facts.get_by_role("link", name="Keras file").click()
    assert download.value.suggested_filename == "digits-model-1.keras"
    chart = page.get_by_role("figure").filter(has_text="Accuracy")
    expect(chart).to_contain_text(f"validation {LAST_EPOCH['val_accuracy']:.2%}")
    chart.get_by_role("img").hover(position={"x": 50, "y": 50})
    expect(chart).to_contain_text("epoch 1")
    expect(chart).to_contain_text(f"validation {FIRST_EPOCH['val_accuracy']:.2%}")
    page.mouse.move(0, 0)
    expect(chart).to_contain_text(f"validation {LAST_EPOCH['val_accuracy']:.2%}")
    mistakes = region(page, f"{MISREAD} misread test digits")
    pictures = mistakes.get_by_role("img", name=re.compile(r"Test digit \d+: \d read as \d"))
    expect(pictures).to_have_count(MISREAD)
    pictures.first.scroll_into_view_if_needed()  # else it is not loaded
    expect(pictures.first).to_have_js_property("naturalWidth", 28)


def test_a_cell_of_the_confusion_matrix_opens_its_digits_by_keyboard_too(visits):
    row = HISTORY["confusion"][4]
    first, second = [digit for digit, count in enumerate(row) if count][:2]
    page = visits.open(SHIPPED)
    matrix = page.get_by_role("table", name=re.compile("Confusion matrix"))

    def expect_digits(predicted):
        four = "four" if row[predicted] == 1 else "fours"
        said = r"read correctly \(60 shown\)" if predicted == 4 else f"read as {predicted}"
        expect(region(page, f"{row[predicted]} {four} {said}").get_by_role("img")).to_have_count(
            min(row[predicted], 60)
        )

    matrix.get_by_role("button", name=f"{row[first]}: 4 read as {first}").click()
    expect_digits(first)
    page.keyboard.press("ArrowRight")
    expect(matrix.get_by_role("button", name=f"{row[second]}: 4 read as {second}")).to_be_focused()
    page.keyboard.press("Enter")
    expect_digits(second)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect_digits(first)


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
    page.get_by_label("Samples", exact=True).fill("6000")
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
    expect(header).to_be_visible()
    record_shifts(page, loading=True)
    assert shifts(page) == [], "the header waits for the rows, which set its widths"
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    said = page.get_by_role("status", name="List of runs")
    expect(said).to_have_text("Sorted by test accuracy, descending.")
    expect(page).to_have_url(re.compile("ordering=-test_accuracy"))
    expect(page.locator("tbody").get_by_role("row").first).to_contain_text(ACCURACY)
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Status").select_option("completed")
    expect(page).to_have_url(re.compile("status=completed"))
    expect(said).to_have_text(re.compile(r"^\d+ completed runs?\.$"))
    page.locator("tbody").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"/runs/\d+/"))
    page.go_back()
    expect(page.get_by_label("Status")).to_have_value("completed")
    expect(page.get_by_role("columnheader", name="Test accuracy")).to_have_attribute("aria-sort", "ascending")


def test_two_runs_are_picked_and_compared(visits, stack):
    number = stack.train(epochs=1, samples=256, seed=9)
    stack.ended(number)
    page = visits.open("/runs/", width=390, height=844)
    expect(page.get_by_text(re.compile(r"^Times in \S+( \(UTC.*\))?$"))).to_be_visible()
    compare = page.get_by_text("Select two or more to compare")
    expect(compare).to_have_attribute("aria-disabled", "true")
    page.get_by_role("checkbox", name=f"Compare run {number}", exact=True).check()
    header = page.get_by_role("columnheader", name="Run", exact=True)
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    header.get_by_role("button").click()  # run 1 may be pages away; what is picked stays picked
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("checkbox", name="Compare run 1", exact=True).check()
    said = page.get_by_role("status", name="List of runs")
    expect(said).to_have_text("2 runs selected.")
    compare = page.get_by_role("link", name="Compare 2 runs")
    compare.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Compare runs 1 and {number}")
    page.go_back()
    expect(page.get_by_role("checkbox", name="Compare run 1", exact=True)).to_be_checked()
    expect(header).to_have_attribute("aria-sort", "ascending")
    compare.click()
    last = f"{LAST_EPOCH['accuracy']:.2%}"
    for curve, value in (("Accuracy", last), ("Loss", r"\d")):
        shipped = f"run 1: {SHIPPED_EPOCHS} epochs, last {value}"
        name = rf"^{curve}, training by epoch. {shipped}.*; run {number}: 1 epoch, last \d"
        expect(page.get_by_role("img", name=re.compile(name))).to_be_visible()
    samples = page.get_by_role("row", name=re.compile("^Samples"))
    expect(samples).to_contain_text("60,000")
    expect(samples).to_contain_text("256")
    assert overflow(page) == 0


def test_the_first_page_keeps_filter_and_selection_on_the_way_back_and_the_list_is_live(visits):
    page = visits.open("/")
    runs = region(page, "^Runs$")
    expect(runs.get_by_text(re.compile("^Times in "))).to_be_visible()  # the list has loaded
    runs.get_by_label("Status").select_option("queued")
    expect(runs.get_by_role("status")).to_have_text("No queued runs.")
    runs.get_by_label("Status").select_option("completed")
    runs.get_by_role("checkbox", name="Compare run 1", exact=True).check()
    runs.get_by_role("link", name="Run 1", exact=True).click()
    page.go_back()
    expect(runs.get_by_label("Status")).to_have_value("completed")
    expect(runs.get_by_role("checkbox", name="Compare run 1", exact=True)).to_be_checked()
    page, server = visits.open_faked(snapshot(seq=2), "/runs/")
    row = page.get_by_role("row").filter(has_text=f"Run {RUN}")
    expect(row).to_contain_text("0 of 5")
    server.send("epoch", 3, **epoch(1))
    expect(row).to_contain_text("1 of 5")


def test_what_a_filter_found_is_said_although_an_event_loads_the_list_once_more(visits):
    page, server = visits.open_faked(
        snapshot(seq=2), "/runs/", expected=["status of 404"]
    )  # the run is the stand-in's alone
    runs = region(page, "^Runs$")
    expect(runs.get_by_text(f"Run {RUN}")).to_be_visible()
    held = []
    page.route("**/api/runs/?*", lambda route: held.append(route), times=1)
    with page.expect_request("**/api/runs/?*"):
        runs.get_by_label("Status").select_option("queued")
    with page.expect_response("**/api/runs/?*"):
        server.send("completed", 3, test_accuracy=0.9, in_service=False, model=None)
    held[0].continue_()
    expect(runs.get_by_role("status", name="List of runs")).to_have_text("No queued runs.")


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
        fours_as_nines = HISTORY["confusion"][4][9]
        page.get_by_role("button", name=f"{fours_as_nines}: 4 read as 9").click()
        expect(region(page, f"{fours_as_nines} fours read as 9").get_by_role("img").first).to_be_visible()
    check_accessibility(page, 1280, 320)


def test_the_matrix_of_the_first_page_opens_digits_in_pages_and_marks_its_cell(visits):
    page = visits.prepare(faked=True)
    digit = {"label": 4, "predicted": 9, "confidence": 0.5, "picture": "data:image/gif;base64,R0lGODlhAQABAAAAACw="}
    asked = []

    def reply(route):
        asked.append(route.request.url)
        offset = int(re.search(r"offset=(\d+)|$", route.request.url).group(1) or 0)
        results = [digit | {"index": index} for index in range(offset, min(offset + 60, 70))]
        route.fulfill(json={"count": 70, "next": None, "previous": None, "results": results})

    page.route("**/digits/?**", reply)
    page, _ = visits.open_faked(snapshot(status="completed", epochs=[epoch(1)], confusion=CONFUSION, test_accuracy=0.9))
    page.route("**/digits/?**", reply)
    cell = button(page, "1: 4 read as 9")
    expect(cell).to_have_attribute("aria-pressed", "false")
    cell.click()
    expect(cell).to_have_attribute("aria-pressed", "true")
    assert cell.evaluate("cell => getComputedStyle(cell).boxShadow") != "none", "seen too"
    digits = page.get_by_role("region", name="70 fours read as 9")
    expect(digits.get_by_role("img")).to_have_count(60)
    expect(digits.get_by_role("heading")).to_contain_text("(60 shown)")
    button(page, "Show more").click()
    expect(digits.get_by_role("img")).to_have_count(70)
    expect(digits.get_by_role("list")).to_be_focused()
    expect(button(page, "Show more")).to_be_hidden()
    assert [f"/api/runs/{RUN}/digits/?label=4&predicted=9" in url for url in asked] == [True, True]
    button(page, "1: 3 read as 9").click()
    expect(cell).to_have_attribute("aria-pressed", "false")
    button(page, "1: 3 read as 9").click()
    expect(page.get_by_role("list", name=re.compile("threes"))).to_be_hidden()
    check_accessibility(page, 320, context=".run")


def test_a_run_is_named_tagged_and_found_again(visits, stack):
    number = stack.train(epochs=1, samples=256)
    stack.ended(number)
    page = visits.open(f"/runs/{number}/", width=360, height=800)
    page.get_by_role("button", name="Add a name or notes").click()
    form = region(page, "Description")
    expect(form.get_by_label("Name")).to_be_focused()
    form.get_by_label("Name").fill("<b>Felt pen</b>")
    form.get_by_label("Tags").fill("Felt, quick")
    form.get_by_label("Notes").fill("First line\nsecond line")
    form.get_by_role("button", name="Save").click()
    head = page.get_by_role("article")
    expect(head.get_by_text("<b>Felt pen</b>")).to_have_count(1)
    expect(head.get_by_role("link", name="quick")).to_have_attribute("href", "/runs/?tag=quick")
    page.get_by_role("button", name="Make this the baseline").click()
    expect(page.get_by_role("button", name="No longer the baseline")).to_be_visible()
    expect(head.get_by_role("link", name="baseline")).to_be_visible()
    check_accessibility(page)
    page.goto(f"{visits.url}/runs/")
    page.get_by_role("searchbox", name="Search").fill("felt quick")
    expect(page).to_have_url(re.compile("search=felt\\+quick"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("baseline")
    assert not overflow(page)
    page.goto(f"{visits.url}/runs/1/")
    page.get_by_role("link", name=f"Compare with the baseline, run {number}").click()
    head = page.get_by_role("columnheader", name=re.compile(f"^Run {number}"))
    for text in ("<b>Felt pen</b>", "baseline", "quick"):
        expect(head).to_contain_text(text)


def test_links_filter_the_list_by_tag_and_baseline_and_the_filters_can_be_removed(visits, stack):
    numbers = []
    for tags in (["ink"], ["ink", "thin"]):
        numbers.append(stack.train(epochs=1, samples=256, tags=tags))
        stack.ended(numbers[-1])
    assert stack.http.patch(f"/api/runs/{numbers[0]}/", json={"baseline": True}).status_code == 200
    page = visits.open("/runs/?tag=ink&tag=thin")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("tag=ink&tag=thin"))
    button(page, "Remove filter tag: thin").click()
    expect(rows).to_have_count(2)
    expect(page.get_by_role("status", name="List of runs")).to_have_text("2 runs.")
    expect(page.get_by_label("Status")).to_be_focused()
    assert "thin" not in page.url
    rows.last.get_by_role("link", name="baseline").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(f"Run {numbers[0]}")
    expect(button(page, "Remove filter baseline: true")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(2)
    check_accessibility(page, 1280, 360)
    page.goto(f"{visits.url}/runs/?tag=none-has-this")
    expect(page.get_by_text("No run matches.")).to_be_visible()


def test_a_refused_description_stays_in_the_form(visits, stack):
    page = visits.open("/runs/1/", expected=["status of 400"])
    form = region(page, "Description")
    form.get_by_role("button", name=re.compile("name")).click()
    form.get_by_label("Tags").fill("what?")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("tags:")
    expect(form.get_by_label("Tags")).to_have_value("what?")
    form.get_by_role("button", name="Discard").click()
    expect(form.get_by_role("button", name=re.compile("name"))).to_be_focused()


def test_a_run_waits_and_is_cancelled_or_starts_by_itself(visits, stack):
    active = stack.train(epochs=100, samples=60_000)
    page = visits.open("/", expected=["status of 403"])
    start = page.get_by_role("button", name="Train after the run in progress")
    page.get_by_label("Preset").select_option("fast")
    page.get_by_role("spinbutton", name="Samples", exact=True).fill("256")
    page.get_by_role("textbox", name="Name").fill("Patient")
    page.get_by_role("textbox", name="Tags").fill("slow, two")
    start.click()
    said = page.get_by_text(re.compile(r"^Run \d+ waits for other runs, number 1 in line\.$"))
    expect(said).to_be_visible()
    first = int(re.search(r"\d+", said.text_content())[0])
    start.click()
    expect(page.get_by_text(f"Run {first + 1} waits for other runs, number 2 in line.")).to_be_visible()
    cancel = page.get_by_role("button", name=f"Cancel run {first}")
    refusal = {"code": "permission_denied", "message": "You need permission to stop runs."}
    page.route("**/api/stop_training/", lambda route: route.fulfill(status=403, json=refusal), times=1)
    cancel.click()
    expect(page.get_by_text(refusal["message"])).to_be_visible()
    expect(cancel).to_be_focused()  # in a row that was made again
    cancel.press("Enter")
    expect(cancel).to_have_count(0)
    expect(page.get_by_role("link", name=f"Run {first}", exact=True)).to_be_focused()
    assert stack.run(first)["status"] == "cancelled"
    page.goto(f"{visits.url}/runs/{first + 1}/")
    panel = page.get_by_role("article")
    expect(panel).to_contain_text("Waiting for other runs, number 1 in line.")
    expect(panel.get_by_role("button", name=f"Cancel run {first + 1}")).to_be_visible()
    expect(page.get_by_text("Patient")).to_have_count(1)
    expect(panel.get_by_role("link", name="slow")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Compare with the baseline"))).to_be_hidden()
    stack.http.post("/api/stop_training/", json={"run": active})
    expect(page.get_by_role("article")).to_contain_text("Test accuracy", timeout=PATIENCE)
    assert stack.run(first + 1)["status"] == "completed"


def test_a_run_is_continued_from_the_page_of_an_earlier_one(visits, stack):
    number = stack.train(preset="fast", epochs=1, samples=256)
    stack.ended(number)
    estimate = {"fixed_seconds": 7, "seconds_per_sample": 0, "seconds_per_sample_epoch": 0.5}
    presets = [{"name": "fast", "epochs": 1, "samples": 33000, "batch_size": 64, "estimate": estimate}]
    page = visits.open(f"/runs/{number}/")
    page.route("**/api/presets/", lambda route: route.fulfill(json={"results": presets}))
    page.get_by_role("link", name="Continue this run").click()
    continues = page.get_by_label(re.compile(f"Continues run {number} from epoch 1"))
    expect(continues).to_be_checked()
    samples = page.get_by_role("spinbutton", name="Samples", exact=True)
    expect(samples).to_be_disabled()
    expect(samples).to_have_value("256")
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("2")
    form = page.get_by_role("form", name="Training settings")
    expect(form).to_contain_text("About 2 min 20 s on this machine")
    expect(form.get_by_text("from random weights")).to_be_hidden()
    continues.uncheck()
    expect(form).to_contain_text("About 4 min 20 s on this machine")
    expect(form.get_by_text("from random weights")).to_be_visible()
    samples.fill("300")
    continues.check()
    expect(samples).to_have_value("256")
    page.get_by_role("button", name="Start training").click()
    panel = page.get_by_role("article")
    expect(panel).to_contain_text(f"Run {number + 1}")
    expect(panel).to_contain_text("Test accuracy", timeout=PATIENCE)
    expect(epoch_rows(page)).to_have_count(2)
    assert stack.run(number + 1)["continues"] == number
    page.goto(f"{visits.url}/runs/{number + 1}/")
    origin = page.get_by_role("article").get_by_role("link", name=f"run {number}", exact=True)
    expect(origin).to_have_attribute("href", f"/runs/{number}/")
