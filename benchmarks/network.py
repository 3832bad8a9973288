"""The window that shows feature maps: milliseconds to work them out and to paint them, in headless Chromium."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.page import p95
from benchmarks.preprocessing import processor
from tests.support.browser import ARGUMENTS, find_chromium, module_url
from tests.support.stack import running
from training.learner import dataset

MEASURE = """async ([convolution, maps, picture, times]) => {
  const { computeFeatureMaps, FIRST, parseFilters, SECOND } = await import(convolution);
  const { FeatureMapTiles } = await import(maps);
  const buffer = await (await fetch("/api/models/1/filters/")).arrayBuffer();
  const filters = parseFilters(buffer);
  const layer = (hook, shape) => new FeatureMapTiles(document.querySelector(`[data-network-${hook}]`), shape, () => {});
  document.querySelector("[data-network]").open = true;
  const [first, second] = [layer("first", FIRST), layer("second", SECOND)];
  const worked = [];
  const painted = [];
  for (let time = 0; time < times; time += 1) {
    const shifted = Float32Array.from(picture, (_, index) => picture[(index + time) % picture.length]);
    const began = performance.now();
    const found = computeFeatureMaps(shifted, filters);
    const middle = performance.now();
    first.show(found.first);
    second.show(found.second);
    worked.push(middle - began);
    painted.push(performance.now() - middle);
    await new Promise(requestAnimationFrame);
  }
  return { worked, painted, bytes: buffer.byteLength };
}"""


def main() -> None:
    print(processor())
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(stack.url)
        digit = dataset.load(Path("training/data/mnist"), "t10k").images[7]
        modules = [module_url(page, name) for name in ("network/convolution", "network/tiles")]
        found = page.evaluate(MEASURE, [*modules, digit.ravel().tolist(), 200])
        for name, title in (("worked", "both convolutions"), ("painted", "painting 96 tiles")):
            times = found[name]
            print(f"{title}: median {statistics.median(times):.1f} ms, p95 {p95(times):.1f} ms")
        print(f"loaded once for each model: {found['bytes'] / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
