"""The product's settings, and the bug of tests.campaigns.storm.apps."""

from digits_site.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.campaigns.storm.apps.Unfenced"]  # noqa: F405
