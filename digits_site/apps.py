"""The project as an app of its own: start-up, system checks, and the commands that start everything."""

from types import ModuleType

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class DigitsSiteConfig(AppConfig):
    """Joins METRICS_DIR and registers the checks of the settings."""

    name = "digits_site"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Join METRICS_DIR now: models are imported before `ready`, and define metrics."""
        super().__init__(app_name, app_module)
        if settings.METRICS_DIR:
            from digits_site.observability.multiprocess import share_folder  # needs a Unix

            share_folder(settings.METRICS_DIR)

    def ready(self) -> None:
        from digits_site import celery, checks  # noqa: F401  (importing registers shared tasks' app, and the checks)


class DigitsAdminConfig(admin_apps.AdminConfig):
    """Django's admin with this project's site."""

    default = False  # INSTALLED_APPS' "digits_site" means DigitsSiteConfig
    default_site = "digits_site.web.admin.site.Site"
