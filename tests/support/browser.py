"""A real Chromium for the page's tests, axe, and a socket that says what a test wants said."""

import json
import shutil
from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CAMERA = "--use-fake-device-for-media-stream"
# Pages of its own that Chromium keeps ready behind the address bar of each window: a second of the processor's time.
POPUPS = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "OmniboxWebUIPopup"]
# The flag counts once, so Playwright's own stand here again.
UNWANTED = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
    *("AimEnabled", *POPUPS),
]
FEATURES = f"--disable-features={','.join(UNWANTED)}"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", CAMERA, FEATURES]
expect.set_options(timeout=30_000)  # for a busy machine; what is there already is seen at once
RUN = 700_007  # of the stand-in socket: no run of the real server has this number


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


# A tab keeps its drawing. The next test's begins without one.
FORGET = """() => {
  try { sessionStorage.clear(); } catch {}
  Storage.prototype.setItem = () => {};
}"""


class Visits:
    """Opens pages and remembers everything that no visit may do: console errors, requests to another host.

    Later tests of the module use its pages again, with the files in their cache, when they ask for the same options.
    """

    def __init__(self, chromium):
        self.chromium, self.url = chromium, ""
        self.idle, self.used = defaultdict(list), []
        self.complaints, self.expected = [], []

    def prepare(self, width=1280, height=900, expected=(), clock=False, faked=False, **options):
        """A page not yet opened. `expected` are parts of console messages that this test provokes.

        With `clock`, page.clock moves its time; `faked` keeps a page whose socket is a FakeSocket's from other tests.
        """
        kind = repr((clock, faked, options))
        page = self.idle[kind].pop() if self.idle[kind] else self.new_page(clock, options)
        self.used.append((kind, page))
        self.expected += expected
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="light")
        return page

    def new_page(self, clock, options):
        """In a context of its own: Chromium seldom paints a tab that is behind another one."""
        page = self.chromium.new_context(reduced_motion="reduce", **options).new_page()
        if clock:
            page.clock.install()
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", lambda request: self.check_host(request.url))
        page.on("websocket", lambda socket: self.check_host(socket.url))
        return page

    def open(self, path="/", **options):
        page = self.prepare(**options)
        page.goto(self.url + path)
        return page

    def open_faked(self, snapshot, path="/", **options):
        """A page whose socket begins with `snapshot`, and the FakeSocket."""
        page = self.prepare(faked=True, **options)
        server = FakeSocket(page, snapshot)
        page.goto(self.url + path)
        return page, server

    def hear(self, message):
        if message.type in ("error", "warning") and not any(part in message.text for part in self.expected):
            self.complaints.append(f"console: {message.text}")

    def check_host(self, url):
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"another host: {url}")

    def end(self):
        """Leave the pages of one test, and return its complaints."""
        complaints = self.complaints.copy()
        for kind, page in self.used:
            page.evaluate(FORGET)
            page.goto("about:blank")
            page.unroute_all(behavior="ignoreErrors")
            page.mouse.move(0, 0)
            self.idle[kind].append(page)
        for found in (self.used, self.complaints, self.expected):
            found.clear()
        return complaints


@pytest.fixture(name="all_visits", scope="module")
def keep_pages(chromium):
    return Visits(chromium)


@pytest.fixture(name="visits")
def watch_visits(all_visits, stack):
    all_visits.url = stack.url
    yield all_visits
    if complaints := all_visits.end():
        pytest.fail("The page complained:\n" + "\n".join(complaints))


COLOUR_RULES = ["color-contrast", "link-in-text-block"]


def check_accessibility(page, *widths, context="html"):
    """Expect axe to find nothing at any width; in the dark, where only colours differ, at the first one."""
    page.evaluate(Axe().axe_script)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) == 0
        check_with_axe(page, context)
        if width == widths[0]:
            page.emulate_media(color_scheme="dark")
            check_with_axe(page, context, runOnly=COLOUR_RULES)
            page.emulate_media(color_scheme="light")


def check_with_axe(page, context, **options):
    settle(page)
    page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")  # of colours, in the admin
    arguments = [context, {"resultTypes": ["violations"]} | options]
    found = page.evaluate("([context, options]) => axe.run(context, options)", arguments)["violations"]
    assert not found, "\n".join(f"{one['id']}: {[node['html'] for node in one['nodes'][:3]]}" for one in found)


def settle(page):
    """Wait until the page has painted what it was told."""
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def module_url(page, name):
    """Return where the page loads a module from, once it has: `import()` does not hold up the load event."""
    listed = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    found = page.wait_for_function(f"(part) => {listed}.find((url) => url.includes(part))", arg=f"/js/{name}.")
    return found.json_value()


class FakeSocket:
    """Stands in for /ws/training/: every connection gets the present snapshot, then what the test sends.

    Pings are answered with pongs, as the server does, and counted.
    """

    def __init__(self, page, snapshot):
        self.page, self.snapshot = page, snapshot
        self.connections, self.pings = [], 0
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

    def wait(self, connections=1, pings=0):
        """The page opens its socket when the pad is ready, a moment after it has loaded."""
        for _ in range(30 * 50):
            if len(self.connections) >= connections and self.pings >= pings:
                return
            self.page.wait_for_timeout(20)
        pytest.fail(f"The page opened {len(self.connections)} sockets and sent {self.pings} pings in 30 s")

    def send(self, kind, seq, run=RUN, **values):
        self.wait()
        self.connections[-1].send(json.dumps({"type": kind, "run": run, "seq": seq, "time": 4_080_000_000.5, **values}))


def epoch(number, accuracy=0.9):
    measured = {"loss": 1 - accuracy, "accuracy": accuracy, "objective": 1 - accuracy, "val_loss": None}
    return {"epoch": number, "val_accuracy": None, "learning_rate": 0.001, "seconds": 10.0} | measured


def snapshot(seq=2, status="in_progress", epochs=(), **values):
    parameters = {"epochs": 5, "batch_size": 128, "learning_rate": 0.001, "samples": 60000, "seed": 1}
    unknown = ["started_at", "finished_at", "stop_requested_at", "test_accuracy", "confusion", "model"]
    run = dict.fromkeys(unknown) | {
        "id": RUN,
        "name": "",
        "notes": "",
        "tags": [],
        "baseline": False,
        "status": status,
        "preset": "original",
        "parameters": parameters | {"activate": False},
        "requested_by": "grace",
        "queued_at": "2099-01-02T03:04:05Z",  # after every real run
        "attempt": 1,
        "max_epochs": 5,
        "epochs": list(epochs),
        "in_service": False,
        "error_code": "",
        "error": "",
    }
    return {"type": "snapshot", "seq": seq, "run": run | values, "batches": [], "model": 1}
