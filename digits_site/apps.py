"""The project as an app of its own: start-up, system checks, and the commands that start everything."""

from types import ModuleType

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries


class DigitsSiteConfig(AppConfig):
    """Joins METRICS_DIR, registers the checks of the settings, and frees requests of work that is not needed here."""

    name = "digits_site"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Join METRICS_DIR now: models are imported before `ready`, and define metrics."""
        super().__init__(app_name, app_module)
        if settings.METRICS_DIR:
            from digits_site.observability.multiprocess import share_folder  # needs a Unix

            share_folder(settings.METRICS_DIR)

    def ready(self) -> None:
        from digits_site import celery, checks  # noqa: F401  (importing registers shared tasks' app, and the checks)

        # Each costs a twentieth of a small request. With CONN_MAX_AGE = 0 a request's end closes its connections, and
        # django-redis keeps its own open. Only with DEBUG are queries kept.
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_caches)
        if not settings.DEBUG:
            request_started.disconnect(reset_queries)


class DigitsAdminConfig(admin_apps.AdminConfig):
    """Django's admin with this project's site."""

    default = False  # INSTALLED_APPS' "digits_site" means DigitsSiteConfig
    default_site = "digits_site.web.admin.site.Site"
