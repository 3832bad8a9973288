"""Who may retrain and stop."""

from django.conf import settings
from rest_framework.request import Request

from digits_site.accounts.permissions import ScopedPermission
from training.services import is_visitor


class MayTrain(ScopedPermission):
    """Everybody where TRAINING_OPEN says so (local mode); otherwise accounts with training.add_trainingrun."""

    scope = "train"
    refusal = "Retraining needs an account with the permission 'Can add training run'."

    def is_open(self) -> bool:
        return bool(settings.TRAINING_OPEN)

    def account_may(self, request: Request) -> bool:
        return self.is_open() or super().account_may(request)


class MayStop(MayTrain):
    """The same accounts."""

    scope = "stop"
    refusal = "Stopping a run needs an account with the permission 'Can add training run'."


def is_stranger(request: Request) -> bool:
    """A visitor of a public site that lets visitors train."""
    return not settings.LOCAL and is_visitor(request.user)
