"""How long corrections are kept, and how they are deleted."""

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from recognition.models import Correction

logger = logging.getLogger(__name__)


def apply_retention() -> int:
    """Delete corrections older than CORRECTION_DAYS that are not accepted, and forget the senders of all older ones.

    Returns the number of deleted corrections. Under CORRECTION_DAYS=0 everything is kept.
    """
    if not settings.CORRECTION_DAYS:
        return 0
    old = older_than(settings.CORRECTION_DAYS)
    deleted = delete(old.exclude(state=Correction.State.ACCEPTED))
    forgotten = old.exclude(sender="").update(sender="")
    if deleted or forgotten:
        logger.info("retention: corrections deleted: %d, senders forgotten: %d", deleted, forgotten)
    return deleted


def older_than(days: float) -> QuerySet[Correction]:
    return Correction.objects.filter(created_at__lt=timezone.now() - timedelta(days=days))


def delete(corrections: QuerySet[Correction]) -> int:
    """Delete rows and return their number."""
    return corrections.delete()[1].get(Correction._meta.label, 0)


def delete_of_account(user: Any) -> int:
    """Delete everything that an account has sent, whatever its state, and return the number."""
    return delete(Correction.objects.filter(account=user))
