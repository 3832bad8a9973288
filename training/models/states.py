"""The states of a run, and how it was stopped."""

from django.db import models


class Status(models.TextChoices):
    """The legacy API's values, and `waiting`, `queued` and `cancelled`. The labels are what people read."""

    WAITING = "waiting", "waiting"
    QUEUED = "queued", "queued"
    IN_PROGRESS = "in_progress", "in progress"
    COMPLETED = "completed", "completed"
    INTERRUPTED = "interrupted", "stopped"
    ERROR = "error", "failed"
    CANCELLED = "cancelled", "cancelled"


class StoppedVia(models.TextChoices):
    """How a run was stopped."""

    PAGE = "page", "on the page"
    API = "api", "through the API"
    ADMIN = "admin", "in the admin"
    COMMAND = "command", "at the terminal"
    TIME_LIMIT = "time_limit", "at the time limit"


ACTIVE = (Status.QUEUED, Status.IN_PROGRESS)
UNFINISHED = (Status.WAITING, *ACTIVE)
# Such a run was never the newest: viewers follow the run that is active, or was the last one to be.
NEVER_ACTIVE = (Status.WAITING, Status.CANCELLED)
# By time, not by number: an upgrade adds a shipped run with the next number and older times.
NEWEST_FIRST = ("-queued_at", "-pk")
