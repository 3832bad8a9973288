"""The product's settings, and the bug of tests.storm.apps."""

from digits_site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.storm.apps.Unfenced"]  # noqa: F405
