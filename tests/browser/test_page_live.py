"""The page while a run is live: nothing moves, who looks away is told, and what it asks the server for."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import RUN, FakeSocket, epoch, settle, snapshot
from tests.support.charts import CONFUSION
from tests.support.forwarder import forwarding
from tests.support.page import (
    alert,
    button,
    connection,
    count_down,
    draw,
    epoch_rows,
    history_row,
    number_answer,
    pass_time_until,
    run_panel,
    state,
)
from tests.support.shifts import record_shifts, shifts
from tests.support.shipped import SHIPPED_EPOCHS

pytestmark = pytest.mark.browser
LONG_SILENCE = 60_000  # ms: longer than the page waits before it asks, and longer than it waits for the answer
UNAVAILABLE = {"status": 503, "json": {"code": "database_unavailable"}}

PAINT_LATE = """() => {
  const late = new Set(), cancel = cancelAnimationFrame;  // a frame may be waiting already
  requestAnimationFrame = (paint) => {
    const timer = setTimeout(paint, 20_000);  // as in a hidden tab
    late.add(timer);
    return timer;
  };
  cancelAnimationFrame = (id) => late.has(id) ? clearTimeout(id) : cancel.call(window, id);
}"""


def ended_run(**values):
    ending = {"test_accuracy": 0.99, "model": None, "confusion": CONFUSION, "finished_at": "2026-01-02T03:14:05Z"}
    facts = {"calibration_error": 0.01, "versions": {"keras": "3.15.1"}, "started_at": "2026-01-02T03:04:06Z"}
    return snapshot(status="completed", epochs=[epoch(1), epoch(2)])["run"] | ending | facts | values


# --- From the queue to the end ---


def hide(page, hidden=True):
    """Let the page take itself for a tab that nobody looks at."""
    page.evaluate("hidden => Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })", hidden)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
@pytest.mark.parametrize("path", ["/", "/runs/1/"])
def test_nothing_moves_from_the_queue_to_the_end_of_a_run(visits, path, width, height):
    epochs = [epoch(number, 0.9 + number / 200) for number in range(1, 13)]
    page = visits.prepare(faked=True, width=width, height=height)
    queued = snapshot(seq=1, status="queued", attempt=0, max_epochs=12, calibration_error=None)
    answers = [ended_run(max_epochs=12, epochs=epochs), queued["run"]]
    page.route(re.compile(rf"/api/runs/(1|{RUN})/$"), lambda route: route.fulfill(json=answers[-1]))
    page.route("**/digits/?**", lambda route: route.fulfill(json={"count": 0, "results": []}))
    is_home = path == "/"
    measured = [epoch(number) | {"val_loss": 0.1, "val_accuracy": 0.98, "objective": 0.5} for number in range(1, 31)]
    earlier = ended_run(id=RUN - 1, preset="handwriting", max_epochs=30, epochs=measured)
    server = FakeSocket(page, {"type": "snapshot", "seq": 33, "run": earlier} if is_home else queued)
    page.goto(visits.url + path)
    expect(run_panel(page)).to_contain_text("Completed" if is_home else "Epoch 1 of 12")
    page.get_by_role("img", name=re.compile("^Accuracy by epoch")).evaluate(
        "e => e.scrollIntoView({ block: 'center' })"
    )
    record_shifts(page)
    if is_home:  # somebody else starts a run while its visitor looks at an earlier one
        run = queued["run"]
        server.send("queued", 1, preset=run["preset"], parameters=run["parameters"], max_epochs=12)
        expect(run_panel(page)).to_contain_text("Epoch 1 of 12")

    def send(*event, **values):
        server.send(*event, **values)
        settle(page)

    expect(matrix(page)).to_have_count(0)
    expect(run_panel(page)).to_contain_text("The confusion matrix follows at the end of the run.")
    send("started", 2, attempt=1)
    for phase in ("importing", "fitting"):
        send("phase", 2, phase=phase)
    for number, values in enumerate(epochs, 1):
        left = 5.0 * (12 - number)
        send("batch", 1 + number, epoch=number, step=9, steps=9, loss=0.1, accuracy=0.9, seconds_left=left)
        send("epoch", 2 + number, **values)
        expect(page.get_by_role("progressbar", name="Batches of this epoch")).to_be_visible()
    answers.pop()
    send("phase", 14, phase="evaluating")
    send("completed", 15, test_accuracy=0.99, model=None, in_service=False)
    expect(matrix(page)).to_be_visible()
    expect(run_panel(page)).to_contain_text("Test accuracy 99.00%")
    assert shifts(page) == []
    assert len(server.connections) == 1, "no event was taken for a gap"


def test_the_table_of_epochs_follows_the_newest_unless_its_reader_has_scrolled_away(visits):
    page, server = visits.open_faked(snapshot(seq=1, status="queued", attempt=0, max_epochs=40))
    table = page.get_by_role("table", name="Finished epochs")
    expect(run_panel(page)).to_contain_text("Epoch 1 of 40")
    expect(table).to_have_count(0)
    server.send("started", 2, attempt=1)
    for number in range(1, 21):
        server.send("epoch", 2 + number, **epoch(number))
    expect(epoch_rows(page)).to_have_count(20)
    area = page.get_by_role("region", name="Finished epochs")
    hidden = "area => area.scrollHeight - area.clientHeight - area.scrollTop"
    assert area.evaluate("area => area.scrollTop") > 0
    assert area.evaluate(hidden) < 2
    area.evaluate("area => { area.scrollTop = 50; }")
    server.send("epoch", 23, **epoch(21))
    expect(epoch_rows(page)).to_have_count(21)
    assert area.evaluate("area => area.scrollTop") == 50


STAND_IN = """() => {
  window.notified = [];
  window.Notification = class extends EventTarget {
    static requestPermission = async () => "granted";
    constructor(title, { body }) { super(); window.notified.push(`${title}: ${body}`); }
  };
}"""


def test_who_looks_at_another_tab_is_told_by_its_title_and_a_notification(visits):
    page, server = visits.open_faked(snapshot(seq=1, status="queued", attempt=0, max_epochs=4))
    expect(page).to_have_title(f"queued · Run {RUN} · Digits")
    page.evaluate(STAND_IN)
    page.get_by_label("Notify me when it ends").check()
    server.send("started", 2, attempt=1)
    server.send("epoch", 3, **epoch(1))
    server.send("batch", 3, epoch=2, step=7, steps=10, loss=0.1, accuracy=0.9, seconds_left=None)
    expect(page).to_have_title(f"42% · Run {RUN} · Digits")
    hide(page)
    page.route(f"**/api/runs/{RUN}/", lambda route: route.fulfill(json=ended_run()))
    server.send("completed", 4, test_accuracy=0.99, model=None, in_service=False)
    expect(page).to_have_title(f"Run {RUN} completed · Digits")
    assert page.evaluate("window.notified") == [f"Run {RUN} completed: Test accuracy 99.00%."]
    hide(page, False)
    expect(page).to_have_title(re.compile("^Digits: "))


def test_a_page_opened_in_mid_run_has_the_curve_of_the_batches_before(visits):
    running = snapshot(seq=2)
    running["batches"] = [{"at": step / 10, "loss": 1 / step, "accuracy": step / 10} for step in range(1, 10)]
    page, server = visits.open_faked(running)
    trail = run_panel(page).get_by_role("img", name=re.compile("^Loss by epoch")).locator("path.trail").first
    expect(trail).to_have_attribute("d", re.compile("^M[^M]*(L[^L]+){6}"))
    drawn = trail.get_attribute("d")
    server.send("batch", 2, epoch=1, step=96, steps=100, loss=0.1, accuracy=0.97, seconds_left=1.0)
    expect(trail).not_to_have_attribute("d", drawn)


def test_another_model_in_service_is_told_and_reads_the_drawing_again(visits):
    page = visits.prepare(faked=True, clock=True)
    rows = [{**ended_run(id=number, model=number, in_service=number == 1), "finished_epochs": 2} for number in (7, 1)]
    listed = {"count": 2, "next": None, "previous": None, "results": rows}
    page.route("**/api/runs/?**", lambda route: route.fulfill(json=listed))
    page.route("**/api/models/*/", lambda route: route.fulfill(json={"test_accuracy": 0.9876}))
    read = []

    def answer(route):
        read.append(route.request.url)
        route.fulfill(json=number_answer(7))

    page.route("**/api/number/**", answer)
    server = FakeSocket(page, snapshot(seq=9, status="interrupted"))
    page.goto(visits.url)
    expect(history_row(page, 1)).to_contain_text("in service")
    draw(page)
    page.clock.fast_forward(2000)
    expect(page.get_by_role("status", name="Prediction")).to_contain_text("7")
    before = len(read)
    server.send("activated", 0, model=7)
    expect(history_row(page, 7)).to_contain_text("in service")
    expect(history_row(page, 1)).not_to_contain_text("in service")
    page.clock.fast_forward(6000)
    form = page.get_by_role("form", name="Training settings")
    expect(form).to_contain_text("Model 7, in service, reads 98.76% of the 10,000 test digits correctly.")
    assert len(read) == before + 1


# --- Stopping ---


def test_the_question_whether_to_stop_goes_when_the_run_has_ended(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]))
    page.route(f"**/api/runs/{RUN}/", lambda route: route.fulfill(json=ended_run()))
    button(page, "Stop run").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    server.send("completed", 4, test_accuracy=0.99, model=None, in_service=False)
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(run_panel(page)).to_contain_text("It ended before it was stopped.")
    expect(page.get_by_role("heading", name=f"Run {RUN}")).to_be_focused()


def test_stopping_keeps_what_arrived_while_the_question_was_open(visits):
    page, server = visits.open_faked(snapshot(seq=1, status="queued", attempt=0, max_epochs=20))
    page.route("**/api/stop_training/", lambda route: route.fulfill(json={"message": "Stop signal sent.", "run": RUN}))
    button(page, "Stop run").click()
    server.send("started", 2, attempt=1)
    for number in range(1, 19):
        server.send("epoch", 2 + number, **epoch(number))
    expect(epoch_rows(page)).to_have_count(18)
    button(page, "Stop the run").click()
    expect(run_panel(page)).to_contain_text("Stopping…")
    expect(epoch_rows(page)).to_have_count(18)
    expect(run_panel(page)).to_contain_text("in progress")
    server.send("epoch", 21, **epoch(19))
    expect(epoch_rows(page)).to_have_count(19)
    assert len(server.connections) == 1, "nothing was lost that a reconnection had to bring back"


def test_a_refused_stop_does_not_undo_somebody_elses(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]), expected=["status of 403"])
    held = []
    page.route("**/api/stop_training/", lambda route: held.append(route))
    button(page, "Stop run").click()
    with page.expect_request("**/api/stop_training/"):
        button(page, "Stop the run").click()
    server.send("phase", 3, phase="stopping")
    server.send("epoch", 4, **epoch(2))
    expect(epoch_rows(page)).to_have_count(2)
    held[0].fulfill(status=403, json={"code": "permission_denied"})
    problem = alert(page, "You need permission to stop this run. Sign in")
    expect(problem.get_by_role("link", name="Sign in")).to_have_attribute("href", "/sign-in/?next=%2F")
    expect(run_panel(page)).to_contain_text("Stopping…")
    expect(epoch_rows(page)).to_have_count(2)


# --- What the list of runs asks for ---


def open_with_runs(visits, ended, **values):
    """The first page beside a run in progress, `ended` by what the server says of it later; and its requests for runs.

    Each list of runs holds run 1 alone: earlier tests may have filled the first page.
    """
    page = visits.prepare(faked=True)
    oldest = page.request.get(f"{visits.url}/api/runs/?ordering=id&page_size=1").json()
    assert [run["id"] for run in oldest["results"]] == [1]
    asked = []

    def reply(route):
        asked.append(route.request.url)
        route.fulfill(json=oldest | {"count": 1, "next": None})

    page.route("**/api/runs/?**", reply)
    page.route(f"**/api/runs/{RUN}/", lambda route: route.fulfill(json=ended))
    server = FakeSocket(page, snapshot(seq=2, max_epochs=40, **values))
    page.goto(visits.url)
    expect(history_row(page, RUN)).to_contain_text("0 of 40")
    expect(history_row(page, 1)).to_contain_text(f"{SHIPPED_EPOCHS} of {SHIPPED_EPOCHS}")
    return page, server, asked


def test_the_list_of_runs_follows_the_socket_without_asking_the_server(visits):
    page, server, asked = open_with_runs(visits, ended_run(max_epochs=40), requested_by="grace")
    page.route(f"**/api/runs/{RUN + 1}/", lambda route: route.fulfill(json=ended_run(id=RUN + 1, status="queued")))
    for number in range(1, 31):
        server.send("epoch", 2 + number, **epoch(number))
    expect(history_row(page, RUN)).to_contain_text("30 of 40")
    server.send("completed", 33, test_accuracy=0.9912, model=3, in_service=True)
    expect(history_row(page, RUN)).to_contain_text("completed")
    expect(history_row(page, RUN)).to_contain_text("99.00%")  # what GET /api/runs/<id>/ says in the end
    server.send("queued", 1, run=RUN + 1, preset="original", parameters={"epochs": 3}, max_epochs=3)
    expect(history_row(page, RUN + 1)).to_contain_text("grace")
    server.send("started", 2, run=RUN + 1, attempt=1)
    expect(history_row(page, RUN + 1)).to_contain_text("in progress")
    assert len(asked) == 1
    assert "include" not in asked[0]


def test_a_filtered_list_asks_again_when_a_run_changes_its_state_and_not_at_its_epochs(visits):
    page, server, asked = open_with_runs(visits, ended_run(status="interrupted"))
    page.get_by_role("region", name="Runs").get_by_label("Status").select_option("completed")
    expect(history_row(page, RUN)).to_have_count(0)
    expect(history_row(page, 1)).to_be_visible()
    assert len(asked) == 2
    for number in range(1, 11):
        server.send("epoch", 2 + number, **epoch(number))
    expect(epoch_rows(page)).to_have_count(10)
    assert len(asked) == 2
    with page.expect_request("**/api/runs/?**"):
        server.send("interrupted", 13)
    expect(state(page)).to_contain_text("stopped")
    assert len(asked) == 3


def test_runs_that_were_missed_while_disconnected_are_asked_for(visits):
    page, server, asked = open_with_runs(visits, ended_run())
    newest = snapshot(seq=1, id=RUN + 5, status="queued", queued_at="2099-01-03T03:04:05Z")
    rows = [{**run, "finished_epochs": 2} for run in (newest["run"], ended_run(id=RUN + 4), ended_run())]
    listed = {"count": 3, "next": None, "previous": None, "results": rows}
    page.route("**/api/runs/?**", lambda route: route.fulfill(json=listed))
    server.snapshot = newest
    server.connections[-1].close(code=1012)
    for number in (RUN + 5, RUN + 4, RUN):  # only the list holds the one in the middle
        expect(history_row(page, number)).to_be_visible()
    assert len(asked) == 1


# --- The end of a run whose results do not arrive at once ---


def open_run_page(visits, answer):
    """The page of a run in progress; each later request for the run gets what `answer` returns. And those requests."""
    page = visits.prepare(faked=True, clock=True, expected=["status of 503"])
    running = snapshot(seq=3, epochs=[epoch(1)])
    asked = []

    def reply(route):
        asked.append(route.request.url)
        route.fulfill(**({"json": running["run"]} if len(asked) == 1 else answer(len(asked))))

    page.route(re.compile(rf"/api/runs/(1|{RUN})/$"), reply)
    page.route("**/digits/?**", lambda route: route.fulfill(json={"count": 0, "results": []}))
    server = FakeSocket(page, running)
    page.goto(visits.url + "/runs/1/")
    expect(connection(page)).to_have_text("Live")
    return page, server, asked


def end(server):
    server.send("epoch", 4, **epoch(2))
    server.send("completed", 5, test_accuracy=0.99, model=None, in_service=False)


def matrix(page):
    return page.get_by_role("table", name=re.compile("Confusion matrix"))


def test_a_runs_results_are_asked_for_again_when_a_request_fails(visits):
    page, server, asked = open_run_page(visits, lambda number: UNAVAILABLE if number <= 4 else {"json": ended_run()})
    end(server)
    pass_time_until(page, matrix(page), LONG_SILENCE)
    expect(page.get_by_role("region", name="Details")).to_contain_text("3.15.1")
    expect(alert(page, re.compile("."))).to_have_count(0)
    assert len(asked) == 5


def test_results_that_stay_away_are_said_and_can_be_asked_for_by_hand(visits):
    away = [True]
    page, server, asked = open_run_page(visits, lambda _number: UNAVAILABLE if away else {"json": ended_run()})
    end(server)
    problem = alert(page, "The results of this run could not be loaded")
    expect(problem).to_be_visible()
    pass_time_until(page, button(page, "Try again"), LONG_SILENCE)
    page.clock.fast_forward(LONG_SILENCE)
    settle(page)
    assert len(asked) <= 8, "not for ever"
    away.clear()
    button(page, "Try again").click()
    expect(matrix(page)).to_be_visible()
    expect(problem).to_have_count(0)


def test_results_stay_when_the_page_paints_late(visits):
    page, server, _asked = open_run_page(visits, lambda _number: {"json": ended_run()})
    page.evaluate(PAINT_LATE)
    end(server)
    expect(matrix(page)).to_be_visible()
    page.clock.fast_forward(LONG_SILENCE)
    expect(matrix(page)).to_be_visible()


def test_the_first_page_asks_again_for_the_results_of_a_run(visits):
    page, server = visits.open_faked(snapshot(seq=3, epochs=[epoch(1)]), expected=["status of 503"])
    answers = iter([UNAVAILABLE])
    page.route(f"**/api/runs/{RUN}/", lambda route: route.fulfill(**next(answers, {"json": ended_run()})))
    end(server)
    expect(matrix(page)).to_be_visible()


# --- A connection that comes back ---


def test_reconnecting_is_counted_down_and_clears_what_could_not_be_loaded(visits):
    page = visits.prepare(faked=True, clock=True, expected=["status of 503"])
    away = [True]

    def reply(route):
        route.fulfill(**UNAVAILABLE) if away else route.continue_()

    for path in ("**/api/runs/?**", "**/api/retrain_model/"):
        page.route(path, reply)
    server = FakeSocket(page, None)
    page.goto(visits.url)
    for attempts in range(2, 6):
        page.clock.fast_forward(20_000)
        server.wait(attempts)
    button(page, "Start training").click()
    problems = page.get_by_role("alert").filter(has_text=re.compile("."))
    expect(problems).to_have_count(2)
    told = connection(page)
    count_down(page, told, r"^Disconnected\. Reconnecting in {} s\.$", 2)
    away.clear()
    server.snapshot = snapshot(seq=9, status="interrupted")
    page.clock.fast_forward(20_000)
    expect(told).to_have_text("Live")
    expect(problems).to_have_count(0)
    expect(history_row(page, 1)).to_be_visible()


def test_a_runs_page_that_could_not_be_loaded_is_loaded_when_the_server_is_back(visits):
    page = visits.prepare(faked=True, clock=True, expected=["status of 503"])
    away = [True]
    answer = lambda: UNAVAILABLE if away else {"json": ended_run()}  # noqa: E731
    page.route("**/api/runs/1/", lambda route: route.fulfill(**answer()))
    page.route("**/digits/?**", lambda route: route.fulfill(json={"count": 0, "results": []}))
    server = FakeSocket(page, snapshot())
    page.goto(visits.url + "/runs/1/")
    pass_time_until(page, button(page, "Try again"), LONG_SILENCE)
    away.clear()
    server.wait()
    server.connections[-1].close(code=1012)
    page.clock.fast_forward(20_000)
    expect(matrix(page)).to_be_visible()
    expect(button(page, "Try again")).to_have_count(0)


# --- A connection that dies without a word ---


def test_a_network_that_dies_while_nothing_trains_is_noticed(visits, stack):
    with forwarding(stack.port) as (url, network):
        visits.url = url
        page = visits.open(clock=True, expected=["closed before the connection is established"])
        expect(connection(page)).to_have_text("Live")
        network.suspend()
        for _ in range(2):
            page.clock.fast_forward(LONG_SILENCE)
        expect(connection(page)).to_contain_text("Disconnected")
        network.resume()
        page.clock.fast_forward(LONG_SILENCE)
        expect(connection(page)).to_have_text("Live")
        page.goto("about:blank")


def test_a_quiet_connection_that_answers_is_kept(visits):
    page, server = visits.open_faked({"type": "snapshot", "seq": 0, "run": None}, clock=True)
    expect(connection(page)).to_have_text("Live")
    for number in range(1, 4):
        page.clock.fast_forward(LONG_SILENCE)
        server.wait(pings=number)
        settle(page)
    assert len(server.connections) == 1
    expect(connection(page)).to_have_text("Live")
