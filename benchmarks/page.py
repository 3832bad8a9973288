"""How the page feels, in headless Chromium: ``python -m benchmarks.page``.

From the end of a stroke (pointerup) to moved bars (the first frame after the answer was put into the page); what a
request weighs, and the pages; when the page is ready; and how long the steps through the network take to compute and
to paint.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.support.common import ROOT, machine, percentile
from tests.support.browser import ARGUMENTS, find_chromium, module_url
from tests.support.page import draw
from tests.support.stack import running
from training.learner import dataset

DIGITS = {
    1: [(0.5, 0.2), (0.5, 0.8)],
    2: [(0.35, 0.3), (0.5, 0.2), (0.65, 0.3), (0.6, 0.5), (0.35, 0.78), (0.68, 0.78)],
    4: [(0.45, 0.2), (0.3, 0.55), (0.7, 0.55), (0.6, 0.4), (0.6, 0.85)],
    7: [(0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.48, 0.8)],
}
PAGES = ("/", "/runs/", "/runs/1/", "/runs/compare/?run=1&run=1")
WATCH = """() => {
  window.measured = new Promise((resolve) => {
    addEventListener("pointerup", ({ timeStamp }) => {
      const status = document.querySelector("[data-answer-status]");
      new MutationObserver((_, observer) => {
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - timeStamp));
      }).observe(status, { childList: true, subtree: true, characterData: true });
    }, { once: true, capture: true });
  });
}"""
SIZES = """window.sizes = []; const send = fetch; fetch = (...args) => {
  if (args[1]?.body instanceof Blob) sizes.push(args[1].body.size); return send(...args); }"""
WALK = """async ([convolution, walk, picture, times]) => {
  const { computeFeatureMaps } = await import(convolution);
  const { parseDense, parseFilters, Walk } = await import(walk);
  const load = async (kind) => (await fetch(`/api/models/1/${kind}/`)).arrayBuffer();
  const [filters, dense] = [parseFilters(await load("filters")), parseDense(await load("dense"))];
  const steps = new Walk(document.querySelector("[data-network]"));
  const opened = { prediction: 0, probabilities: new Array(10).fill(0.1) };
  const computed = [], shown = [];
  for (let time = 0; time < times; time += 1) {
    const shifted = Float32Array.from(picture, (_, i) => picture[(i + time) % picture.length]);
    const began = performance.now();
    computeFeatureMaps(shifted, filters);
    computed.push(performance.now() - began);
    steps.showMaps(shifted, filters);
    steps.showAnswer(dense, 1, opened);
    shown.push(performance.now() - began - computed.at(-1));
    await new Promise(requestAnimationFrame);
  }
  return { "feature maps computed": computed, "all steps computed and painted": shown };
}"""


def strokes(page: Page, count: int) -> list[float]:
    """Milliseconds from the end of each stroke to moved bars."""
    found = []
    for number in range(count):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_timeout(150)
        page.evaluate(WATCH)
        draw(page, list(DIGITS.values())[number % len(DIGITS)], steps=8)
        found.append(page.evaluate("measured"))
        page.wait_for_timeout(400)
    return found


def files(browser: Browser, url: str) -> dict[str, int]:
    """Path -> bytes, unpacked, of every script and style that any of the pages loads."""
    found: dict[str, int] = {}
    page = browser.new_page()
    page.on("response", lambda answer: found.update({urlsplit(answer.url).path: len(answer.body())}))
    for path in PAGES:
        page.goto(url + path, wait_until="networkidle")
    page.close()
    return {path: size for path, size in found.items() if path.endswith((".js", ".css"))}


def ready(browser: Browser, url: str) -> list[list[float]]:
    """[cold, warm]: milliseconds until the pad can be drawn on, which the page's last module sets up."""
    found: list[list[float]] = [[], []]
    for _ in range(7):
        context = browser.new_context()
        page = context.new_page()
        for times in found:
            page.goto(url)
            page.wait_for_function("document.querySelector('[data-pad]').width !== 300")
            times.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        context.close()
    return found


def show(what: str, times: list[float]) -> None:
    print(f"{what}: median {statistics.median(times):.1f} ms, p95 {percentile(times, 0.95):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--strokes", type=int, default=50)
    count = parser.parse_args().strokes
    print(machine())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(SIZES)
        page.goto(stack.url)
        page.get_by_role("status", name="Connection").get_by_text("Live").wait_for()
        draw(page)
        show(f"end of a stroke to moved bars, {count} strokes", strokes(page, count))
        print(f"a request: median {statistics.median(page.evaluate('sizes')):.0f} bytes")
        page.get_by_text("What the network does").click()
        modules = [module_url(page, f"network/{name}") for name in ("convolution", "walk")]
        digit = dataset.load(ROOT / "training" / "data" / "mnist", "t10k").images[7]
        for name, times in page.evaluate(WALK, [*modules, digit.ravel().tolist(), 200]).items():
            show(name, times)
        sizes = files(browser, stack.url)
        print(f"JavaScript and CSS of all pages, unpacked: {sum(sizes.values()) / 1000:.1f} kB in {len(sizes)} files")
        for name, times in zip(("cold", "warm"), ready(browser, stack.url), strict=True):
            show(f"page ready, {name}", times)
        browser.close()


if __name__ == "__main__":
    main()
