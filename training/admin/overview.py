"""The admin's front page: the model in service, training, and the health of the queue."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from redis.exceptions import RedisError

from recognition.models import Activation
from training.models import TrainingRun
from training.worker import heartbeat

NEWEST = 5


def overview(user: User | AnonymousUser) -> dict[str, Any]:
    """Return the parts of the page that this user may see."""
    parts: dict[str, Any] = {}
    if user.has_perm("recognition.view_modelversion"):
        parts["service"] = {"activation": Activation.objects.select_related("model", "previous__model", "by").first()}
    if user.has_perm("training.view_trainingrun"):
        parts["runs"] = list(
            TrainingRun.objects.newest_first().with_account().defer("confusion", "error_detail")[:NEWEST]
        )
        parts["health"] = health()
    return parts


def health() -> dict[str, Any]:
    """Return the state of Redis, the queue and the workers; only Redis tells of the other two."""
    try:
        found = heartbeat.health()
    except RedisError:
        return {"redis": False}
    return {"redis": True, "queued": found.queued, "workers": found.workers}
