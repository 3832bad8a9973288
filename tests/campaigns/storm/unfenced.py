"""The product's settings with a bug for a storm to find: writes do not name the attempt that they belong to."""

from django.apps import AppConfig

from digits_site.settings import *  # noqa: F403


class Unfenced(AppConfig):
    name = "tests.campaigns.storm"

    def ready(self) -> None:
        from django.db.models import Q

        from training.models import Status, TrainingRun

        TrainingRun.owned = lambda run: Q(status=Status.IN_PROGRESS)  # type: ignore[method-assign, assignment]


INSTALLED_APPS = [*INSTALLED_APPS, f"{__name__}.Unfenced"]  # noqa: F405
