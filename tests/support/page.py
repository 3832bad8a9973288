"""The parts of the training page, and what a visitor does with them."""

import re

from playwright.sync_api import expect

PATIENCE = 120_000  # milliseconds, for a run on a busy machine


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
        page.get_by_role("spinbutton", name=name.replace("_", " ")).fill(str(value))
    page.get_by_role("button", name="Start training").click()


def wait_for_batches(page):
    expect(page.get_by_role("progressbar", name="Batches of this epoch")).to_be_visible(timeout=PATIENCE)
