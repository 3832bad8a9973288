"""The browser's fixtures."""

from tests.support.browser import keep_pages, launch_chromium, watch_visits  # noqa: F401 (fixtures)
from tests.support.operator import as_operator, make_account  # noqa: F401 (fixtures)
