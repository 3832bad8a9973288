"""What the search of the list of models takes. The list is annotated with `in_service`."""

import re
from collections.abc import Callable

from django.db.models import Q

from digits_site.web.admin.search import number
from recognition.models import ModelVersion

DIGEST_CHARACTERS = 4  # fewer digits are a model's number
TERMS = re.compile(r"(?P<run>run\s*#?\d{1,18}\b)|(?P<service>in service)|(?:model\s*#?|#)?(?P<word>\S+)", re.I)


def number_or_digest(word: str) -> Q:
    """Match a model's number, or a part of its name or the beginning of its SHA-256."""
    found = Q(pk=int(word)) if re.fullmatch("[0-9]{1,18}", word) else Q(name__icontains=word)
    return found | Q(sha256__startswith=word.lower()) if len(word) >= DIGEST_CHARACTERS else found


CONDITIONS: dict[str, Callable[[str], Q]] = {
    "run": lambda text: Q(pk__in=ModelVersion.objects.filter(runs=number(text)).values("pk")),
    "service": lambda _: Q(in_service=True),
    "word": number_or_digest,
}
