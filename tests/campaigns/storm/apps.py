"""A deliberate bug, to show that a storm finds it: writes that do not name the attempt they belong to."""

from django.apps import AppConfig


class Unfenced(AppConfig):
    name = "tests.campaigns.storm"

    def ready(self) -> None:
        from django.db.models import Q

        from training.models import Status, TrainingRun

        TrainingRun.owned = lambda run: Q(status=Status.IN_PROGRESS)  # type: ignore[method-assign, assignment]
