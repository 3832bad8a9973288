"""Corrections in the admin: a wall of pictures to decide on, and a read-only page for each."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from digits_site.web.admin.columns import time_column
from digits_site.web.formatting import format_probability
from recognition.admin.decisions import MAY_REVIEW, decide
from recognition.admin.filters import FILTERS
from recognition.corrections.collecting import stored_levels
from recognition.corrections.exporting import KINDS, Kind, export_zip
from recognition.corrections.suspicion import explain, with_suspicion
from recognition.imaging import encode_png, png_data_url
from recognition.models import Correction

LOG_SHOWN = 20  # entries on a correction's page
NEWEST_FIRST = "-1"  # Django's parameter `o`: the second column of list_display, descending


@dataclass(frozen=True)
class Tile:
    """One picture of the wall."""

    correction: Correction
    picture: str
    reasons: list[str]


def picture_url(picture: bytes | memoryview) -> str:
    """Return the 784 bytes of a picture as a PNG data URL."""
    return png_data_url(encode_png(stored_levels(picture) / np.float32(255)))


class Wall(ChangeList):
    @cached_property
    def tiles(self) -> list[Tile]:
        """The page's corrections in at most four queries. The pictures are fetched once it is known which they are."""
        corrections = list(self.result_list)
        pictures = dict(Correction.objects.filter(pk__in=[c.pk for c in corrections]).values_list("pk", "picture"))
        reasons = explain(corrections)
        return [Tile(c, picture_url(pictures[c.pk]), reasons[c.pk]) for c in corrections if c.pk in pictures]

    @cached_property
    def orders(self) -> list[tuple[str, str, bool]]:
        """The name, link and state of each way to order the wall."""
        newest = self.params.get("o") == NEWEST_FIRST
        return [
            ("Likely mistakes first", self.get_query_string(remove=["o"]), not newest),
            ("Newest first", self.get_query_string({"o": NEWEST_FIRST}), newest),
        ]

    @cached_property
    def own_query(self) -> str:
        """The query string of this page."""
        return self.get_query_string()


@admin.register(Correction)
class CorrectionAdmin(admin.ModelAdmin):
    list_display = ("__str__", "created_at")
    list_filter = FILTERS
    search_fields = ("=id", "=account__username")
    search_help_text = "By number (“correction 31”) or account, in every status."
    list_per_page = 100
    list_max_show_all = 100
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fieldsets = (
        (None, {"fields": ("picture_shown", "state", "label", "prediction", "why", "similar")}),
        ("Sent", {"fields": ("created", "source", "account", "address", "model")}),
        ("Decision", {"fields": ("decided_by", "decided", "held_out", "decision_log")}),
        ("Picture", {"fields": ("ink_shown", "picture_sha256", "signature")}),
    )
    readonly_fields = tuple(str(name) for _, part in fieldsets for name in part["fields"])

    created, decided = time_column("created_at", "sent"), time_column("decided_at", "decided")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions are made on the wall, so that each is logged and can be undone."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the wall's filters only: Django would pass on any other lookup, regular expressions included."""
        return lookup in {one.parameter_name for one in FILTERS}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        return super().get_search_results(request, queryset, re.sub(r"(?i)^correction\s*#?|^#", "", search_term))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return Wall

    def get_queryset(self, request: HttpRequest) -> QuerySet[Correction]:
        return with_suspicion(Correction.objects.all()).defer("picture")

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-suspicion", F("confidence").desc(nulls_last=True))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "title": "Review corrections",
            "may_review": request.user.has_perm(MAY_REVIEW),
            "digits": range(10),
            "newest": Correction.objects.values_list("pk", flat=True).first() or 0,  # before the page is counted
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        decide_url = path("decide/", view(self.decide), name="recognition_correction_decide")
        exports = [
            path(f"export/{kind}/", view(self.export), {"kind": kind}, name=f"recognition_correction_{kind}")
            for kind in KINDS
        ]
        return [decide_url, *exports, *super().get_urls()]

    def export(self, request: HttpRequest, kind: Kind) -> HttpResponse:
        """Return all accepted corrections as a ZIP archive. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        accepted = Correction.objects.filter(state=Correction.State.ACCEPTED)
        answer = HttpResponse(export_zip(accepted, kind), content_type="application/zip")
        answer["Content-Disposition"] = f'attachment; filename="corrections-{kind}.zip"'
        return answer

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Decide on the selected corrections of the wall, or undo the user's last decision (POST)."""
        return decide(self, request)

    @admin.display(description="picture")
    def picture_shown(self, correction: Correction) -> SafeString:
        html = '<img class="wall-large" src="{}" width="224" height="224" alt="The drawing as the model sees it">'
        return format_html(html, picture_url(correction.picture))

    @admin.display(description="predicted")
    def prediction(self, correction: Correction) -> str:
        if correction.predicted is None:
            return "–"
        sure = "" if correction.confidence is None else f", {format_probability(correction.confidence)} sure"
        return f"{correction.predicted}{sure}{', uncertain' if correction.uncertain else ''}"

    @admin.display(description="mean level of ink")
    def ink_shown(self, correction: Correction) -> str:
        return f"{correction.ink:.1%}"

    @admin.display(description="suspicious")
    def why(self, correction: Correction) -> str:
        return ", ".join(explain([correction])[correction.pk]) or "–"

    @admin.display(description="near-duplicates")
    def similar(self, correction: Correction) -> SafeString:
        """Link to the corrections with the same signature, counted by label."""
        alike = Correction.objects.filter(signature=correction.signature).exclude(pk=correction.pk)
        count = alike.count()
        if not count:
            return SafeString("–")
        return format_html('<a href="{}">{}</a>', wall_url(signature=correction.signature), f"{count} more")

    @admin.display(description="address")
    def address(self, correction: Correction) -> SafeString:
        if not correction.sender:
            return SafeString("–")
        url = wall_url(sender=correction.sender)
        return format_html('<a href="{}">All corrections from this address</a>', url)

    @admin.display(description="log")
    def decision_log(self, correction: Correction) -> str:
        """List the newest decisions, in one query."""
        entries = LogEntry.objects.filter(
            content_type__app_label="recognition", content_type__model="correction", object_id=str(correction.pk)
        )
        newest = entries.select_related("user").order_by("-action_time")[:LOG_SHOWN]
        return render_to_string("admin/recognition/correction/log.html", {"entries": newest})


def wall_url(**filters: str) -> str:
    """Return the address of the wall of all states, filtered."""
    return f"{reverse('admin:recognition_correction_changelist')}?{urlencode({'state': 'all', **filters})}"
