"""The project as an app of its own: the system checks, and the commands that start everything."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class DigitsSiteConfig(AppConfig):
    """Registers the checks of the settings."""

    name = "digits_site"

    def ready(self) -> None:
        from digits_site import celery, checks  # noqa: F401  (importing registers shared tasks' app, and the checks)


class DigitsAdminConfig(admin_apps.AdminConfig):
    """Django's admin with a site of ours."""

    default = False  # of this module's two, for INSTALLED_APPS' "digits_site"
    default_site = "digits_site.web.admin.site.Site"
