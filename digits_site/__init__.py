"""Joins the apps: settings, URLs, ASGI and Celery. No app imports from here."""

from digits_site.celery import app as celery_app

__all__ = ["celery_app"]
