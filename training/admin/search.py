"""What the search of the list of runs takes. The list is annotated with `in_service`."""

import re
from collections.abc import Callable

from django.db.models import Q

from digits_site.web.admin.search import number
from training.history.description import mentions
from training.models import SHIPPED, Status

TERMS = re.compile(
    r"(?P<model>model\s*#?(\d{1,18})\b)|(?P<run>(?:run\s*#?|#)?(\d{1,18})(?!\S))|(?P<progress>in progress)"
    r"|(?P<service>in service)|(?P<visitor>a visitor|visitor|anonymous)(?!\S)"
    r"|(?P<shipped>shipped(?: with digits)?)(?!\S)|(?P<word>\S+)",
    re.I,
)


def anywhere(word: str) -> Q:
    """Match a word with what the API searches, the error code, and the status as the API and the pages write it."""
    names = [value for value, label in Status.choices if any(text.startswith(word.lower()) for text in (value, label))]
    return Q(status__in=names) | Q(error_code__icontains=word) | mentions(word)


CONDITIONS: dict[str, Callable[[str], Q]] = {
    "model": lambda text: Q(model_id=number(text)),
    "run": lambda text: Q(pk=number(text)),
    "progress": lambda _: Q(status=Status.IN_PROGRESS),
    "service": lambda _: Q(in_service=True),
    "visitor": lambda _: Q(requested_by=None) & ~Q(worker=SHIPPED),
    "shipped": lambda _: Q(worker=SHIPPED),
    "word": anywhere,
}
