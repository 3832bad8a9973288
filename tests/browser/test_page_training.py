"""Training as the page shows it: real runs first, then a socket that says what seldom happens."""

import re
import signal

import pytest
from playwright.sync_api import expect

from tests.support.browser import RUN, FakeSocket, epoch, overflow, snapshot
from tests.support.page import (
    PATIENCE,
    button,
    connection,
    curve,
    epoch_rows,
    history_row,
    pass_time_until,
    run_number,
    run_panel,
    start,
    state,
    wait_for_batches,
)
from training.learner.presets import PRESETS

pytestmark = pytest.mark.browser


def test_the_presets_offered_are_those_there_are(visits):
    page = visits.open()
    options = page.get_by_label("Preset").get_by_role("option").all()
    assert [option.get_attribute("value") for option in options] == list(PRESETS)
    for option, preset in zip(options, PRESETS.values(), strict=True):
        assert option.get_attribute("data-epochs") == str(preset.epochs)


def test_a_run_is_started_watched_on_every_page_and_stopped(visits, stack):
    first = visits.open()
    start(first, Epochs=100, Samples=8192, Batch_size=64, Seed=5)
    expect(run_panel(first)).to_contain_text("Requested by a visitor")
    expect(run_panel(first)).to_contain_text("100 epochs · 8,192 samples · batch size 64")
    wait_for_batches(first)
    expect(run_panel(first)).to_contain_text(re.compile(r"Epoch \d+ of 100"))
    expect(run_panel(first)).to_contain_text(re.compile(r"\d+ of 128"))
    expect(epoch_rows(first)).not_to_have_count(0, timeout=PATIENCE)
    told = curve(first, "Accuracy").get_attribute("aria-label")
    number = run_number(first)

    second = visits.open(f"/runs/{number}/")
    expect(second.get_by_role("progressbar", name="Epochs of this run")).to_be_visible(timeout=PATIENCE)
    expect(connection(second)).to_have_text("Live")
    second.set_viewport_size({"width": 390, "height": 844})
    second.goto(visits.url)
    expect(epoch_rows(second)).not_to_have_count(0)
    expect(second.get_by_role("progressbar", name="Batches of this epoch")).to_be_visible()
    expect(run_panel(second)).to_contain_text(re.compile(r"left"), timeout=PATIENCE)
    button(second, "Stop run").click()
    expect(second.get_by_role("dialog")).to_contain_text("finished epochs stay in the history")
    button(second, "Keep training").click()
    expect(second.get_by_role("dialog")).to_be_hidden()
    expect(run_panel(second)).not_to_contain_text("Stopping")
    expect(curve(first, "Accuracy")).not_to_have_attribute("aria-label", told, timeout=PATIENCE)
    expect(curve(first, "Loss")).to_be_visible()
    button(second, "Stop run").click()
    button(second, "Stop the run").click()
    for page in (first, second):
        expect(state(page)).to_contain_text("stopped", timeout=PATIENCE)
    expect(button(first, "Stop run")).to_be_hidden()
    expect(button(first, "Start training")).to_be_visible()
    expect(history_row(first, number)).to_contain_text("stopped")


def test_a_run_is_watched_to_its_end(visits, stack):
    stack.pause("worker")  # until both pages are there
    page = visits.open()
    start(page, Epochs=2, Samples=512)
    expect(state(page)).to_contain_text("queued")
    number = run_number(page)
    own = visits.open(f"/runs/{number}/")
    expect(connection(own)).to_have_text("Live")
    stack.kill("worker", signal.SIGCONT)
    for watching in (page, own):
        expect(state(watching)).to_contain_text("completed, test accuracy", timeout=PATIENCE)
        expect(epoch_rows(watching)).to_have_count(2)
        expect(run_panel(watching).get_by_role("table", name=re.compile("Confusion matrix"))).to_be_visible()
    expect(own.get_by_role("region", name="misread test digits").get_by_role("img").first).to_be_visible()
    expect(connection(own)).to_be_hidden()
    expect(own.get_by_role("region", name="Details").get_by_role("link", name="ONNX file")).to_be_visible()

    row = history_row(page, number)
    expect(row).to_contain_text("completed")
    expect(row).to_contain_text("2 of 2")
    page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(page) == 0
    row.get_by_role("link", name=f"Run {number}", exact=True).press("Enter")
    expect(page).to_have_url(re.compile(rf"/runs/{number}/$"))
    expect(epoch_rows(page)).to_have_count(2)
    assert overflow(page) == 0


def test_a_lost_network_is_said_and_recovered_from(visits):
    page = visits.open(expected=["ERR_INTERNET_DISCONNECTED"])
    expect(connection(page)).to_have_text("Live")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    expect(connection(page)).to_contain_text("Disconnected")
    page.context.set_offline(False)
    expect(connection(page)).to_have_text("Live")


def test_after_a_broken_connection_every_epoch_is_there_once(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]))
    expect(epoch_rows(page)).to_have_count(1)
    server.snapshot = snapshot(seq=5, epochs=[epoch(1), epoch(2), epoch(3)])
    server.connections[-1].close(code=1012)
    expect(epoch_rows(page)).to_have_count(3)
    expect(connection(page)).to_have_text("Live")
    server.send("epoch", 4, **epoch(2))
    server.send("epoch", 6, **epoch(4))
    expect(epoch_rows(page)).to_have_count(4)
    assert [row.get_by_role("rowheader").inner_text() for row in epoch_rows(page).all()] == ["1", "2", "3", "4"]


def test_it_backs_off_from_a_server_that_stays_away(visits):
    page, server = visits.open_faked(None, clock=True)
    expect(connection(page)).to_have_text(re.compile(r"Disconnected. Reconnecting in [12] s."))
    for attempts in range(2, 6):
        page.clock.fast_forward(20_000)
        server.wait(attempts)
    expect(connection(page)).to_have_text(re.compile(r"Disconnected. Reconnecting in ([6-9]|1\d) s."))


def test_gaps_are_closed_by_a_fresh_snapshot_a_second_one_soon_after_the_first_too(visits):
    """The page waits before it asks again, and events that follow each other without a gap come meanwhile."""
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]), clock=True)
    expect(epoch_rows(page)).to_have_count(1)
    server.snapshot = snapshot(seq=5, epochs=[epoch(n) for n in (1, 2, 3)])
    server.send("epoch", 5, **epoch(3))
    expect(epoch_rows(page)).to_have_count(3)
    assert len(server.connections) == 2
    server.snapshot = snapshot(seq=8, epochs=[epoch(n) for n in (1, 2, 3, 4, 5, 6)])
    server.send("epoch", 7, **epoch(5))
    server.send("epoch", 8, **epoch(6))
    page.clock.fast_forward(2000)
    expect(epoch_rows(page)).to_have_count(6)
    assert len(server.connections) == 3


def test_batches_move_the_bar_and_old_ones_do_not(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]))
    expect(epoch_rows(page)).to_have_count(1)
    server.send("batch", 3, epoch=2, step=117, steps=468, loss=0.1234, accuracy=0.9688, seconds_left=37.5)
    bar = page.get_by_role("progressbar", name="Batches of this epoch")
    expect(bar).to_have_attribute("aria-valuetext", "step 117 of 468")
    expect(run_panel(page)).to_contain_text("Epoch 2 of 5")
    expect(run_panel(page)).to_contain_text("0.1234")
    expect(run_panel(page)).to_contain_text("96.88%")
    expect(run_panel(page)).to_contain_text("about 40 s left")  # to the next 5
    server.send("batch", 2, epoch=2, step=1, steps=468, loss=2.3, accuracy=0.1)
    server.send("batch", 3, epoch=1, step=468, steps=468, loss=2.3, accuracy=0.1)
    server.send("batch", 3, epoch=2, step=234, steps=468, loss=0.1, accuracy=0.97)
    expect(bar).to_have_attribute("aria-valuetext", "step 234 of 468")
    expect(run_panel(page)).not_to_contain_text("2.3000")


def test_a_run_nobody_takes_is_said_to_wait_for_a_worker(visits):
    page = visits.prepare(faked=True, clock=True)
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)  # else four seconds could pass before the page is looked at
    server = FakeSocket(page, snapshot(seq=1, status="queued", attempt=0))
    page.goto(visits.url)
    pass_time_until(page, run_panel(page).get_by_text("Requested by grace"), 100)
    expect(run_panel(page)).not_to_contain_text("Waiting for a worker")
    page.clock.resume()
    page.clock.fast_forward(4000)
    expect(run_panel(page)).to_contain_text("Waiting for a worker")
    server.send("started", 2, attempt=1)
    expect(run_panel(page)).not_to_contain_text("Waiting for a worker")


def test_a_run_taken_up_again_and_one_that_fails_say_so(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]), expected=["status of 404"])
    server.send("started", 4, attempt=2, resumed_after_epoch=1)
    expect(run_panel(page)).to_contain_text("Attempt 2, continued after epoch 1.")
    expect(epoch_rows(page)).to_have_count(1)
    server.send("epoch", 5, **epoch(2))
    expect(epoch_rows(page)).to_have_count(2)
    expect(run_panel(page)).to_contain_text("Attempt 2, continued after epoch 1.")
    server.send("queued", 6)
    server.send("started", 7, attempt=3, resumed_after_epoch=0)
    server.send("phase", 7, phase="drawing", progress=0.426)
    expect(run_panel(page)).to_contain_text("Attempt 3, starting over. Generating training digits… 42%")
    server.send("error", 8, error_code="diverged", error="The loss became NaN.")
    words = "The run failed. The loss became NaN. The results of this run could not be loaded. Not found."
    expect(run_panel(page).get_by_role("alert")).to_have_text(words)
    expect(state(page)).to_have_text(f"Run {RUN} failed.")


def refuse(page, status, body):
    page.route("**/api/retrain_model/", lambda route: route.fulfill(status=status, json=body))


def test_a_wrong_setting_is_said_beside_its_field(visits):
    page = visits.prepare(expected=["status of 400"])
    refuse(page, 400, {"code": "invalid_parameter", "message": "epochs: must be even.", "field": "epochs"})
    page.goto(visits.url)
    start(page, Epochs=3)
    field = page.get_by_role("spinbutton", name="Epochs")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("must be even.")
    field.fill("4")
    expect(page.get_by_text("must be even.")).to_have_count(0)


def test_a_refused_run_is_explained_beside_the_button(visits):
    page = visits.open(expected=["status of"])
    form = page.get_by_role("form", name="Training settings")
    for status, body, said in [
        (409, {"code": "run_active", "message": "x", "run": 11}, "Run 11 is already training"),
        (503, {"code": "queue_unavailable", "message": "x"}, "The training queue is unavailable"),
        (403, {"code": "permission_denied", "message": "x"}, "You need permission to train here"),
        (502, {}, "The server could not complete the request (error 502)."),
    ]:
        refuse(page, status, body)
        start(page)
        expect(form.get_by_role("alert")).to_contain_text(said)
        expect(button(form, "Start training")).not_to_have_attribute("aria-disabled", "true")


def test_past_runs_are_turned_by_page_and_filtered_by_state(visits):
    page = visits.prepare()
    runs = [snapshot(status="completed", epochs=[epoch(1)], id=number, test_accuracy=0.99)["run"] for number in (9, 8)]

    def reply(route):
        older = "page=2" in route.request.url
        next_page = None if older else "http://elsewhere.example/api/runs/?page=2"
        previous = "http://elsewhere.example/api/runs/" if older else None
        found = [] if "status=error" in route.request.url else [runs[older]]
        route.fulfill(json={"count": 2, "next": next_page, "previous": previous, "results": found})

    page.route("**/api/runs/?**", reply)
    page.goto(visits.url)
    history = page.get_by_role("region", name="Runs")
    expect(history.get_by_role("link", name="Run 9")).to_be_visible()
    button(history, "Next").click()
    expect(history.get_by_role("link", name="Run 8")).to_be_visible()
    expect(button(history, "Next")).to_be_disabled()
    button(history, "Previous").click()
    expect(history.get_by_role("link", name="Run 9")).to_be_visible()
    history.get_by_label("Status").select_option("error")
    expect(history).to_contain_text("No run matches.")
