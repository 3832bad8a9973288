"""Webhooks in the admin."""

from digits_site.webhooks.admin import deliveries, endpoints  # noqa: F401  (importing registers them)
