"""Permissions to start and stop runs."""

from django.conf import settings
from rest_framework.request import Request

from digits_site.accounts.permissions import ScopedPermission
from training.services import is_visitor


class MayTrain(ScopedPermission):
    """Allows everybody under TRAINING_OPEN, as in local mode; otherwise accounts with training.add_trainingrun."""

    scope = "train"
    refusal = "You need permission to train here."

    def is_open(self) -> bool:
        return bool(settings.TRAINING_OPEN)


class MayStop(MayTrain):
    scope = "stop"
    refusal = "You need permission to stop a run here."


class MayDescribe(ScopedPermission):
    """Allows everybody in local mode; otherwise accounts with training.add_trainingrun."""

    scope = "train"
    refusal = "You need permission to train, to change what is written on a run."

    def is_open(self) -> bool:
        return bool(settings.LOCAL)


def is_anonymous_visitor(request: Request) -> bool:
    """Return whether the request comes from a visitor of a public site under TRAINING_OPEN."""
    return not settings.LOCAL and is_visitor(request.user)
