"""The search of a list in the admin: words and phrases, each of which a row must match."""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

MAX_TERMS = 10  # each is a condition of the query


def number(text: str) -> int:
    """Return the number in a term: 7 for "run #7"."""
    return int(re.sub(r"\D", "", text))


class TermSearch(admin.ModelAdmin):
    """Each named group of `terms` is a kind of term, for which `conditions` has the condition."""

    search_fields = ("=id",)  # shows the box; the terms decide
    terms: ClassVar[re.Pattern[str]]
    conditions: ClassVar[Mapping[str, Callable[[str], Q]]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for term, _ in zip(self.terms.finditer(search_term), range(MAX_TERMS), strict=False):
            kind = str(term.lastgroup)
            queryset = queryset.filter(self.conditions[kind](term[kind]))
        return queryset, False
