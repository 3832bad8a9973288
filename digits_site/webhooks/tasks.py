"""Celery's task: it gets a delivery's id and returns nothing."""

from celery import shared_task

from digits_site.webhooks import delivering

QUEUE = "webhooks"  # not the training worker's, whose one thread may be busy for hours


@shared_task(name="webhooks.deliver", ignore_result=True)
def deliver(delivery_id: int) -> None:
    """Attempt a delivery, if it is due. A lost message is found again by the poller (polling.py)."""
    delivering.deliver(delivery_id)
