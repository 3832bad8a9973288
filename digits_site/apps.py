"""The project as an app of its own: it holds the system checks and the commands that start everything."""

from django.apps import AppConfig


class DigitsSiteConfig(AppConfig):
    """Registers the checks of the settings."""

    name = "digits_site"
    verbose_name = "Access"

    def ready(self) -> None:
        from digits_site import checks  # noqa: F401  (importing registers them)
