"""The parts of the page, and what a visitor's hand does with them."""

import re
import time
from itertools import pairwise

from playwright.sync_api import expect

from tests.support.browser import settle
from tests.support.stack import PATIENCE_SECONDS

SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.48, 0.8)]
SCRIBBLE = [(0.2, 0.2), (0.8, 0.8), (0.2, 0.8), (0.8, 0.2)]
PATIENCE = PATIENCE_SECONDS * 1000  # milliseconds, for a run on a busy machine
# Drops a file on the page, but not on the pad.
DROP = """(data) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "seven.png", { type: "image/png" }));
  const where = document.querySelector("footer, #runs");
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
    where.dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error(`${kind} would leave the page`);
  }
}"""


def button(page, name):
    return page.get_by_role("button", name=name)


def pad(page):
    return page.get_by_role("application", name="Drawing area")


def ink(page):
    """The pad's picture."""
    settle(page)
    return pad(page).evaluate("canvas => canvas.toDataURL()")


def answer(page):
    return page.get_by_role("status", name="Prediction")


def alert(page, text):
    return page.get_by_role("alert").filter(has_text=text)


def count_down(page, told, words, seconds):
    """Let seconds pass on the page's clock, and expect the countdown to follow. Return the number that it began with.

    The clock goes by itself as well: the number may fall further, but by no more than the time that passed.
    """
    began = time.monotonic()
    expect(told).to_contain_text(re.compile(words.format(r"\d+")))
    before = number_in(told, words)
    page.clock.run_for(seconds * 1000)
    lower = "|".join(map(str, range(before - seconds + 1)))
    expect(told).to_contain_text(re.compile(words.format(f"({lower})")))
    assert seconds <= before - number_in(told, words) <= seconds + 1 + time.monotonic() - began
    return before


def pass_time_until(page, locator, step):
    """Let `step` milliseconds pass again and again on the page's clock, until something is shown."""
    for _ in range(600):
        if locator.is_visible():
            return
        page.clock.fast_forward(step)
        page.wait_for_timeout(20)
    expect(locator).to_be_visible()


def number_in(told, words):
    return int(re.search(words.format(r"(\d+)"), told.text_content()).group(1))


def number_answer(*digits, **values):
    """What /api/number/ answers; a digit is a number, or a dict of what is not as usual."""
    known = [digit_answer(**(digit if isinstance(digit, dict) else {"prediction": digit})) for digit in digits]
    number = "".join(str(digit["prediction"]) for digit in known)
    usual = {"confidence": 100.0, "uncertain": False, "uncertain_reason": None, "model": 1}
    return usual | values | {"number": number, "digits": known}


def digit_answer(prediction, **values):
    probabilities = [float(index == prediction) for index in range(10)]
    usual = {"confidence": 100.0, "uncertain": False, "uncertain_reason": None, "box": [10, 10, 60, 80]}
    return usual | {"prediction": prediction, "probabilities": probabilities} | values


def on_pad(page, points):
    """Where points of the square in the pad's middle are in the window; x below 0 or above 1 is beside the square."""
    pad(page).scroll_into_view_if_needed()
    box = pad(page).bounding_box()
    middle, side = box["x"] + box["width"] / 2, box["height"]
    return [(middle + (x - 0.5) * side, box["y"] + y * side) for x, y in points]


def choose(page, name, content):
    """Pick a file in the file dialog, and do not wait for what the page does with it."""
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.get_by_label("Use a photo").set_input_files(file)


def draw(page, points=SEVEN, steps=3):
    """One stroke with the mouse."""
    first, *rest = on_pad(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=steps)
    page.mouse.up()


def path(points):
    """`points` with three more between each two."""
    between = [
        (x + (next_x - x) * part, y + (next_y - y) * part)
        for (x, y), (next_x, next_y) in pairwise(points)
        for part in (0.25, 0.5, 0.75, 1)
    ]
    return [points[0], *between]


def touch(page, *moments):
    """Touches as the browser's input pipeline sees them: it scrolls wherever scrolling is allowed.

    Each moment, 10 ms after the one before, is the places of all fingers then; at the end they are lifted.
    """
    session = page.context.new_cdp_session(page)
    places = iter(on_pad(page, [place for moment in moments for place in moment]))
    now, down = time.time(), 0
    for number, moment in enumerate((*moments, [])):
        kind = "touchEnd" if not moment else "touchStart" if len(moment) > down else "touchMove"
        at = [dict(zip("xy", next(places), strict=True), id=finger) for finger in range(len(moment))]
        event = {"type": kind, "touchPoints": at, "timestamp": now + number / 100}
        session.send("Input.dispatchTouchEvent", event)
        down = len(moment)


def pen(page, points=SEVEN, button="left"):
    """One stroke with a pen."""
    session = page.context.new_cdp_session(page)
    corners = on_pad(page, path(points))
    buttons = 1 if button == "left" else 2
    moments = [("mousePressed", corners[0], buttons, 1)]
    moments += [("mouseMoved", at, buttons, 0) for at in corners[1:]]
    for kind, (x, y), held, clicks in [*moments, ("mouseReleased", corners[-1], 0, 1)]:
        pointer = {"button": button, "buttons": held, "clickCount": clicks, "pointerType": "pen", "force": 0.5}
        session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y} | pointer)


def bars(page):
    """The ten probabilities as a person is told them, in per cent by digit."""
    meters = page.get_by_role("group", name="Probability of each digit").get_by_role("meter").all()
    return {meter.get_attribute("aria-label"): float(meter.get_attribute("aria-valuenow")) for meter in meters}


def state(page):
    return page.get_by_role("status", name="Run", exact=True)


def connection(page):
    return page.get_by_role("status", name="Connection")


def run_panel(page):
    return page.get_by_role("article", name=re.compile(r"Run \d+"))


def run_number(page):
    """The number of the run that is shown, once it is known."""
    expect(state(page)).to_have_text(re.compile(r"Run \d+"))
    return int(re.search(r"\d+", state(page).inner_text()).group())


def epoch_rows(page):
    return run_panel(page).get_by_role("table", name="Finished epochs").locator("tbody").get_by_role("row")


def curve(page, name):
    return run_panel(page).get_by_role("img", name=re.compile(f"^{name} by epoch"))


def history_row(page, number):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=f"Run {number}", exact=True))


def start(page, **settings):
    for name, value in settings.items():
        page.get_by_role("spinbutton", name=re.compile(f"^{name.replace('_', ' ')}$", re.IGNORECASE)).fill(str(value))
    page.get_by_role("button", name="Start training").click()


def wait_for_batches(page):
    bar = page.get_by_role("progressbar", name="Batches of this epoch")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("step [0-9]+ of"), timeout=PATIENCE)
