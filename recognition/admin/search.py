"""The search of the list of models."""

import re

from django.db.models import Q, QuerySet

from recognition.models import ModelVersion

MAX_WORDS = 10  # each is a condition of the query
DIGEST_CHARACTERS = 4  # fewer digits are a model's number
TERM = re.compile(r"(?P<run>run\s*#?\d{1,18}\b)|(?P<service>in service)|(?:model\s*#?|#)?(?P<word>\S+)", re.I)


def search(models: QuerySet[ModelVersion], text: str) -> QuerySet[ModelVersion]:
    """Return the models that match every word or phrase of `text`. The queryset is annotated with `in_service`."""
    for term, _ in zip(TERM.finditer(text), range(MAX_WORDS), strict=False):
        models = models.filter(condition(str(term.lastgroup), term[str(term.lastgroup)].lower()))
    return models


def condition(kind: str, text: str) -> Q:
    if kind == "service":
        return Q(in_service=True)
    if kind == "run":
        return Q(pk__in=ModelVersion.objects.filter(runs=int(re.sub(r"\D", "", text))).values("pk"))
    is_number = re.fullmatch("[0-9]{1,18}", text)
    found = Q(pk=int(text)) if is_number else Q(pk__in=[])
    return found | Q(sha256__startswith=text) if len(text) >= DIGEST_CHARACTERS else found
