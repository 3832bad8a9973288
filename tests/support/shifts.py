"""Layout shifts: what moves on a page that its visitor did not move."""

from tests.support.browser import settle

RECORD = """(buffered) => {
  window.shifts = [];
  const describe = ({ node }) => (node?.outerHTML ?? String(node?.textContent)).slice(0, 80);
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) window.shifts.push([value, ...sources.map(describe)]);
  }).observe({ type: "layout-shift", buffered });
}"""


def record_shifts(page, loading=False):
    """Begin to record, with those that follow a click too, or with those since the page began to load."""
    settle(page)
    page.evaluate(RECORD, loading)


def shifts(page):
    """What has moved since: for each shift its value, and what moved."""
    settle(page)
    return page.evaluate("window.shifts")
