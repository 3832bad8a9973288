"""How the page feels: from the end of a stroke to moved bars; what a guess weighs, and the page; when it is ready.

The product runs as it does in the tests (daphne, worker, Redis on this machine), the page in headless Chromium. A
stroke ends with pointerup; bars have moved in the first frame after the answer was put into the page.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.preprocessing import processor
from tests.support.browser import ARGUMENTS, draw, find_chromium
from tests.support.stack import running

# Digits as strokes, drawn one after the other on an empty pad.
DIGITS = {
    1: [(0.5, 0.2), (0.5, 0.8)],
    2: [(0.35, 0.3), (0.5, 0.2), (0.65, 0.3), (0.6, 0.5), (0.35, 0.78), (0.68, 0.78)],
    4: [(0.45, 0.2), (0.3, 0.55), (0.7, 0.55), (0.6, 0.4), (0.6, 0.85)],
    7: [(0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.48, 0.8)],
}
PAGES = ("/", "/runs/", "/runs/1/", "/runs/compare/?run=1&run=1")
# Set before a stroke: resolves with the milliseconds from pointerup to the frame after the answer of the whole stroke.
WATCH = """() => {
  window.measured = new Promise((resolve) => {
    addEventListener("pointerup", (event) => {
      const began = event.timeStamp;
      const status = document.querySelector("[data-answer-status]");
      const done = () => requestAnimationFrame(() => resolve(performance.now() - began));
      new MutationObserver((_, observer) => {
        observer.disconnect();
        done();
      }).observe(status, { childList: true, characterData: true, subtree: true });
    }, { once: true, capture: true });
  });
}"""


def strokes(page: Page, count: int) -> list[float]:
    """Milliseconds from the end of each stroke to moved bars."""
    found = []
    for number in range(count):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(150)
        page.evaluate(WATCH)
        draw(page, list(DIGITS.values())[number % len(DIGITS)])
        found.append(page.evaluate("measured"))
        page.wait_for_timeout(400)
    return found


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def weigh(page: Page, url: str) -> None:
    """Open the page so that `sizes` in it will hold the bytes of every guess."""
    page.add_init_script(
        "window.sizes = []; const send = fetch; fetch = (...args) => {"
        "if (args[1]?.body instanceof Blob) sizes.push(args[1].body.size); return send(...args); }"
    )
    page.goto(url)
    page.get_by_role("status", name="Connection").get_by_text("Live").wait_for()
    draw(page)
    page.wait_for_timeout(500)


def files(browser: Browser, url: str) -> dict[str, int]:
    """Name -> bytes, unpacked, of every script and style that any of the pages loads."""
    found: dict[str, int] = {}

    def take(answer: Any) -> None:
        path = urlsplit(answer.url).path
        if path.endswith((".js", ".css")):
            found[path] = len(answer.body())

    page = browser.new_page()
    page.on("response", take)
    for path in PAGES:
        page.goto(url + path, wait_until="networkidle")
    page.close()
    return found


def ready(browser: Browser, url: str) -> tuple[list[float], list[float]]:
    """(cold, warm): milliseconds until the pad can be drawn on, which the page's last module sets up."""
    cold, warm = [], []
    for _ in range(7):
        context = browser.new_context()
        page = context.new_page()
        for times in (cold, warm):
            page.goto(url)
            page.wait_for_function("document.querySelector('[data-pad]').width !== 300")
            times.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        context.close()
    return cold, warm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strokes", type=int, default=50)
    arguments = parser.parse_args()
    print(processor())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        weigh(page, stack.url)
        times = strokes(page, arguments.strokes)
        print(
            f"end of a stroke to moved bars, {len(times)} strokes: median {statistics.median(times):.0f} ms, ", end=""
        )
        print(f"p95 {p95(times):.0f} ms, longest {max(times):.0f} ms")
        guesses = page.evaluate("sizes")
        print(f"a guess: median {statistics.median(guesses):.0f} bytes, {len(guesses)} in {len(times) + 1} strokes")
        page.close()
        sizes = files(browser, stack.url)
        print(f"JavaScript and CSS of all pages, unpacked: {sum(sizes.values()) / 1000:.1f} kB in {len(sizes)} files")
        cold, warm = ready(browser, stack.url)
        print(f"page ready: {statistics.median(cold):.0f} ms cold, {statistics.median(warm):.0f} ms warm")
        browser.close()


if __name__ == "__main__":
    main()
