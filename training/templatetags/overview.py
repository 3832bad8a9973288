"""{% overview as board %}: the admin's front page: the model in service, training, and the health of the queue."""

from typing import Any

from django import template
from redis.exceptions import RedisError

from recognition.corrections.counting import count_by_state
from recognition.models import Activation
from training.models import TrainingRun
from training.worker import presence

NEWEST = 5
register = template.Library()


@register.simple_tag(takes_context=True)
def overview(context: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of the page that the user may see."""
    user = context["request"].user
    parts: dict[str, Any] = {}
    if user.has_perm("recognition.view_modelversion"):
        parts["service"] = {"activation": Activation.objects.select_related("model", "previous__model", "by").first()}
    if user.has_perm("recognition.view_correction") or user.has_perm("recognition.change_correction"):
        parts["corrections"] = count_by_state()
    if user.has_perm("training.view_trainingrun"):
        runs = TrainingRun.objects.newest_first().with_account().defer("confusion", "error_detail")
        parts |= {"runs": list(runs[:NEWEST]), "health": health()}
    return parts


def health() -> dict[str, Any]:
    """Return the state of Redis, the queue and the workers; only Redis tells of the other two."""
    try:
        queued, workers = presence.health()
    except RedisError:
        return {"redis": False}
    return {"redis": True, "queued": queued, "workers": workers}
