"""The search of the list of runs."""

import re
from collections.abc import Callable

from django.db.models import Q, QuerySet

from training.models import SHIPPED, Status, TrainingRun

MAX_WORDS = 10  # each is a condition of the query
TERM = re.compile(
    r"(?P<model>model\s*#?(\d{1,18})\b)|(?P<run>(?:run\s*#?|#)?(\d{1,18})(?!\S))|(?P<progress>in progress)"
    r"|(?P<service>in service)|(?P<visitor>a visitor|visitor|anonymous)(?!\S)"
    r"|(?P<shipped>shipped(?: with digits)?)(?!\S)|(?P<word>\S+)",
    re.I,
)


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def anywhere(word: str) -> Q:
    """Match a word with the preset, the account, the error code, and the status as the API and the pages write it."""
    names = [value for value, label in Status.choices if any(text.startswith(word.lower()) for text in (value, label))]
    fields = ("preset", "requested_by__username", "error_code")
    found = Q(status__in=names)
    for field in fields:
        found |= Q(**{f"{field}__icontains": word})
    return found


CONDITIONS: dict[str, Callable[[str], Q]] = {
    "model": lambda text: Q(model_id=number(text)),
    "run": lambda text: Q(pk=number(text)),
    "progress": lambda _: Q(status=Status.IN_PROGRESS),
    "service": lambda _: Q(in_service=True),
    "visitor": lambda _: Q(requested_by=None) & ~Q(worker=SHIPPED),
    "shipped": lambda _: Q(worker=SHIPPED),
    "word": anywhere,
}


def search(runs: QuerySet[TrainingRun], text: str) -> QuerySet[TrainingRun]:
    """Return the runs that match every word or phrase of `text`."""
    for term, _ in zip(TERM.finditer(text), range(MAX_WORDS), strict=False):
        kind = str(term.lastgroup)
        runs = runs.filter(CONDITIONS[kind](term[kind]))
    return runs
