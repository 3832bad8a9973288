"""The charts of runs in a real browser: where they and their texts are, and what a hand does with them."""

import csv
import io

from tests.support.browser import RUN, settle
from tests.support.page import button

CONFUSION = [[100 if row == column else 1 for column in range(10)] for row in range(10)]
# The texts, curves and plots of all charts in pixels of the window; and what of the texts overlaps or leaves its chart.
MEASURE = """() => {
  const box = (element) => element.getBoundingClientRect();
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const charts = [...document.querySelectorAll("figure.chart:not([hidden])")];
  const wrong = [];
  for (const chart of charts) {
    const around = box(chart.querySelector("[role=img]"));
    const texts = [...chart.querySelectorAll("[role=img] text")].map((text) => [text.textContent, box(text)]);
    const keys = [...chart.querySelectorAll(".key, .position, b, summary")].map((key) => [key.textContent, box(key)]);
    for (const [text, { left, right, top, bottom }] of texts) {
      const isInside = left >= around.left && right <= around.right && top >= around.top && bottom <= around.bottom;
      if (!isInside) wrong.push(`${text} is cut off`);
    }
    for (const all of [texts, keys]) {
      all.forEach(([text, one], index) => all.slice(index + 1)
        .forEach(([other, two]) => apart(one, two) || wrong.push(`${text} covers ${other}`)));
    }
  }
  const plots = charts.map((chart) => box(chart.querySelector("[role=img]")));
  const axes = charts.map((chart) => box(chart.querySelector(".grid")).left - box(chart).left);
  return { wrong, tops: plots.map(({ top }) => top), heights: plots.map(({ height }) => height), axes,
    words: charts.map((chart) => [...chart.querySelectorAll("[role=img] text")].map((text) => text.textContent)) };
}"""


def chart(page, name):
    return page.get_by_role("figure").filter(has=page.get_by_text(name, exact=True))


def plot(page, name):
    return chart(page, name).get_by_role("img")


def at(page, name, share):
    """Where the pointer is in the window after moving to a share of a plot's width."""
    plot(page, name).scroll_into_view_if_needed()
    box = plot(page, name).bounding_box()
    place = box["x"] + box["width"] * share, box["y"] + box["height"] / 2
    page.mouse.move(*place)
    settle(page)
    return place


def columns(page, name):
    """The numbers below a chart."""
    return [float(text) for text in page.evaluate(MEASURE)["words"][name][page_rows(page, name) :]]


def page_rows(page, name):
    return page.evaluate(MEASURE)["words"][name].index("epoch") + 1


def save(page, name, kind):
    """Save a chart by its menu; return the rows of the CSV, or the bytes of the PNG."""
    chart(page, name.title()).get_by_text("Save", exact=True).click()
    with page.expect_download() as download:
        button(page, f"Save {name} as {kind}").click()
    assert download.value.suggested_filename == f"digits-run-{RUN}-{name}.{kind.lower()}"
    content = download.value.path().read_bytes()
    return list(csv.reader(io.StringIO(content.decode()))) if kind == "CSV" else content


def drag_finger(page, name, *shares):
    """Touch a plot, move to each share of its width, and lift the finger."""
    session = page.context.new_cdp_session(page)
    for index, share in enumerate(shares):
        x, y = at(page, name, share)
        kind = "touchMove" if index else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settle(page)
