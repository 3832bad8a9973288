"""Who may retrain and stop."""

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class MayTrain(BasePermission):
    """Everybody where TRAINING_OPEN says so (local mode); otherwise accounts with training.add_trainingrun."""

    message = "Retraining needs an account with the permission to train."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return settings.TRAINING_OPEN or request.user.has_perm("training.add_trainingrun")
