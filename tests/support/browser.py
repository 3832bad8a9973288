"""A real Chromium for the page's tests, what a hand does on the page, and a socket that says what a test wants said."""

import json
import shutil
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=30_000)  # for a busy machine; what is there already is seen at once
RUN = 700_007  # of the stand-in socket: no run of the real server has this number
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.48, 0.8)]
SCRIBBLE = [(0.2, 0.2), (0.8, 0.8), (0.2, 0.8), (0.8, 0.2)]


def find_chromium():
    """The browser's program, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


# Closed with the module: while Playwright's loop runs, Django takes a database call in this thread for an async one.
@pytest.fixture(name="chromium", scope="module")
def launch_chromium():
    program = find_chromium()
    if program is None:
        pytest.fail("The browser tests need Chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Visits:
    """Opens pages and remembers everything that no visit may do: console errors, requests to another host."""

    def __init__(self, chromium, url):
        self.chromium = chromium
        self.url = url
        self.contexts = []
        self.complaints = []

    def prepare(self, width=1280, height=900, scheme="light", expected=(), **options):
        """A page not yet opened. `expected` are parts of console messages that this test provokes."""
        context = self.chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self.hear(message, expected))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", lambda request: self.check_host(request.url))
        page.on("websocket", lambda socket: self.check_host(socket.url))
        return page

    def open(self, **options):
        page = self.prepare(**options)
        page.goto(self.url)
        return page

    def hear(self, message, expected):
        if message.type in ("error", "warning") and not any(part in message.text for part in expected):
            self.complaints.append(f"console: {message.text}")

    def check_host(self, url):
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"another host: {url}")

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture(name="visits")
def watch_visits(chromium, stack):
    visits = Visits(chromium, stack.url)
    yield visits
    visits.close()
    if visits.complaints:
        pytest.fail("The page complained:\n" + "\n".join(visits.complaints))


def module_url(page, name):
    """Return where the page loads a module from, once it has: `import()` does not hold up the load event."""
    listed = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    found = page.wait_for_function(f"(part) => {listed}.find((url) => url.includes(part))", arg=f"/js/{name}.")
    return found.json_value()


def pad(page):
    return page.get_by_role("application", name="Drawing area")


def answer(page):
    return page.get_by_role("status", name="Prediction")


def on_pad(page, points):
    box = pad(page).bounding_box()
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]


def draw(page, points=SEVEN):
    """One stroke with the mouse."""
    pad(page).scroll_into_view_if_needed()
    first, *rest = on_pad(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def touch(page, points=SEVEN):
    """One stroke with a finger, as the browser's input pipeline sees it: it scrolls wherever scrolling is allowed."""
    session = page.context.new_cdp_session(page)

    def send(kind, at):
        fingers = [{"x": x, "y": y} for x, y in at]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    corners = on_pad(page, points)
    send("touchStart", corners[:1])
    for (x, y), (next_x, next_y) in pairwise(corners):
        for part in (0.25, 0.5, 0.75, 1):
            send("touchMove", [(x + (next_x - x) * part, y + (next_y - y) * part)])
    send("touchEnd", [])


def fingers(session, page, *moments):
    """Touches as they follow each other: each moment is the places of all fingers then, and the last has none."""
    down = 0
    for places in moments:
        kind = "touchEnd" if not places else "touchStart" if len(places) > down else "touchMove"
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(on_pad(page, places))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        down = len(places)


def pen(page, points=SEVEN, button="left"):
    """One stroke with a pen."""
    session = page.context.new_cdp_session(page)
    corners = on_pad(page, points)
    path = [corners[0]]
    for (x, y), (next_x, next_y) in pairwise(corners):
        path += [(x + (next_x - x) * part, y + (next_y - y) * part) for part in (0.25, 0.5, 0.75, 1)]

    def send(kind, at, held):
        session.send(
            "Input.dispatchMouseEvent",
            {
                "type": kind,
                "x": at[0],
                "y": at[1],
                "button": button,
                "buttons": held,
                "pointerType": "pen",
                "force": 0.5,
            }
            | ({} if kind == "mouseMoved" else {"clickCount": 1}),
        )

    held = 1 if button == "left" else 2
    send("mousePressed", path[0], held)
    for at in path[1:]:
        send("mouseMoved", at, held)
    send("mouseReleased", path[-1], 0)


def bars(page):
    """The ten probabilities as a person is told them, in per cent by digit."""
    meters = page.get_by_role("group", name="Probability of each digit").get_by_role("meter").all()
    return {meter.get_attribute("aria-label"): float(meter.get_attribute("aria-valuenow")) for meter in meters}


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


class FakeSocket:
    """Stands in for /ws/training/: every connection gets the present snapshot, then what the test sends.

    Pings are answered with pongs, as the server does, and counted.
    """

    def __init__(self, page, snapshot):
        self.page = page
        self.snapshot = snapshot
        self.connections = []
        self.pings = 0
        page.route_web_socket("**/ws/training/", self.connect)

    def connect(self, socket):
        self.connections.append(socket)
        socket.on_message(lambda text: self.answer(socket, text))
        if self.snapshot:
            socket.send(json.dumps(self.snapshot))
        else:
            socket.close(code=1012)

    def answer(self, socket, text):
        assert json.loads(text) == {"type": "ping"}
        self.pings += 1
        socket.send('{"type": "pong"}')

    def wait_for_connection(self, seconds=15):
        """The page opens its socket when the pad is ready, a moment after it has loaded."""
        for _ in range(seconds * 50):
            if self.connections:
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"The page opened no socket in {seconds} s")

    def send(self, kind, seq, run=RUN, **values):
        self.wait_for_connection()
        self.connections[-1].send(json.dumps({"type": kind, "run": run, "seq": seq, "time": 1_800_000_000.5, **values}))


def epoch(number, accuracy=0.9):
    return {
        "epoch": number,
        "loss": 1 - accuracy,
        "accuracy": accuracy,
        "val_loss": None,
        "objective": 1 - accuracy,
        "val_accuracy": None,
        "learning_rate": 0.001,
        "seconds": 10.0,
    }


def snapshot(seq=2, status="in_progress", epochs=(), **values):
    run = {
        "id": RUN,
        "status": status,
        "preset": "original",
        "parameters": {
            "epochs": 5,
            "batch_size": 128,
            "learning_rate": 0.001,
            "samples": 60000,
            "seed": 1,
            "activate": False,
        },
        "requested_by": "grace",
        "queued_at": "2027-01-02T03:04:05Z",  # after the shipped run
        "started_at": None,
        "finished_at": None,
        "stop_requested_at": None,
        "attempt": 1,
        "max_epochs": 5,
        "epochs": list(epochs),
        "test_accuracy": None,
        "confusion": None,
        "model": None,
        "in_service": False,
        "error_code": "",
        "error": "",
    }
    return {"type": "snapshot", "seq": seq, "run": run | values}
