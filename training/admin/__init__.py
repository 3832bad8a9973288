"""Runs in the admin."""

from training.admin import runs  # noqa: F401  (importing registers them)
