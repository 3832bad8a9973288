"""Runs in the admin: a read-only history with actions."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from digits_site.web.admin.deletion import DeletingAdmin
from digits_site.web.admin.search import TermSearch
from recognition.models import Activation, in_service
from training.admin import exports
from training.admin.actions import ACTIONS
from training.admin.columns import RunColumns
from training.admin.deletion import DELETE_RUNS, Selection
from training.admin.failures import hint_for
from training.admin.search import CONDITIONS, TERMS
from training.models import Epoch, Status, TrainingRun

NOT_LISTED = ("confusion", "versions", "environment", "notes", "error", "error_detail")
# Shown on a run's page only if the run has them.
OPTIONAL = {
    "title": "name",
    "notes_text": "notes",
    "is_baseline": "is_baseline",
    "continued": "continues_id",
    "environment_table": "environment",
    "stop_requested": "stop_requested_at",
    "stopper": "stopper_name",
    "calibration": "calibration_error",
    "published": "model_id",
    "activations": "model_id",
    "base": "base_id",
    "corrections_used": "base_id",
    "not_activated": "not_activated",
    "resumed_after_epoch": "resumed_after_epoch",
    "versions_table": "versions",
    "worker": "worker",
}


class StartedByFilter(admin.RelatedOnlyFieldListFilter):
    """The accounts that started runs, and "no account" for visitors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title, self.empty_value_display = "started by", SafeString("no account")


class TagFilter(admin.AllValuesFieldListFilter):
    """The tags in use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "tag"


@admin.register(TrainingRun)
class TrainingRunAdmin(RunColumns, TermSearch, DeletingAdmin):
    change_form_template = "admin/training/trainingrun/change_form.html"
    list_display = ("run", "state", "curve", "accuracy", "epochs_done", "took", "who", "queued", "published")
    list_filter = ("status", "preset", ("tags__name", TagFilter), "is_baseline", ("requested_by", StartedByFilter))
    list_select_related = ("requested_by",)
    date_hierarchy = "queued_at"
    terms, conditions = TERMS, CONDITIONS
    search_help_text = (
        "By number (“run 2”), name, notes, tag, preset, status, error code, model (“model 3”), or who started it."
    )
    list_per_page = 50
    show_full_result_count = False
    actions = ("export_csv", "export_json", "delete_selected")
    object_actions = ACTIONS
    deletion = DELETE_RUNS
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("title", "tag_list", "is_baseline", "notes_text")}),
        ("Outcome", {"fields": ("state", "accuracy", "calibration", "published", "activations", "who", "stopper")}),
        ("Corrections", {"fields": ("base", "corrections_used")}),
        ("Not put into service", {"fields": ("not_activated",)}),
        ("Results", {"fields": ("results",)}),
        ("Times", {"fields": ("queued", "started", "finished", "waited", "ran", "stop_requested")}),
        (
            "Recipe",
            {
                "fields": (
                    *("preset", "parameters_table", "versions_table", "environment_table", "commands"),
                    *("continued", "attempt", "resumed_after_epoch", "worker"),
                )
            },
        ),
    )
    readonly_fields = tuple(str(name) for _, part in fieldsets for name in part["fields"])

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        reads = Activation.objects.values("model__test_accuracy")[:1]
        runs = TrainingRun.objects.with_finished_epochs().annotate(
            in_service=in_service("model_id"), serving_reads=reads
        )
        if request.resolver_match and (request.resolver_match.url_name or "").endswith("_changelist"):
            few = Epoch.objects.only("run_id", "epoch", "accuracy", "val_accuracy")
            runs = runs.defer(*NOT_LISTED).prefetch_related(Prefetch("epochs", few), "tags")
        return runs

    def selection(self, request: HttpRequest, rows: list[TrainingRun]) -> Selection:
        return Selection.of(request, rows)

    def view_on_site(self, run: TrainingRun) -> str:
        return reverse("run-page", args=[run.pk])

    def page_context(self, obj: TrainingRun) -> dict[str, Any]:
        return {"hint": hint_for(obj.error_code) if obj.status == Status.ERROR else ""}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the optional fields that the run does not have, and those that the user may not see."""
        may = request.user.has_perm("recognition.view_activation")

        def is_shown(name: str) -> bool:
            has = name not in OPTIONAL or bool(obj and getattr(obj, OPTIONAL[name]))
            return has and (may or name != "activations")

        parts = [(title, [name for name in part["fields"] if is_shown(name)]) for title, part in self.fieldsets]
        return [(title, {"fields": names}) for title, names in parts if names]

    @admin.action(description="Export the selected runs as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> HttpResponse | None:
        return self.export(request, queryset, "csv")

    @admin.action(description="Export the selected runs as JSON", permissions=["view"])
    def export_json(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> HttpResponse | None:
        return self.export(request, queryset, "json")

    def export(self, request: HttpRequest, queryset: QuerySet[TrainingRun], kind: str) -> HttpResponse | None:
        chosen = list(queryset.values_list("pk", flat=True)[: exports.MAX_RUNS + 1])
        if len(chosen) > exports.MAX_RUNS:
            self.message_user(
                request, f"Select at most {exports.MAX_RUNS} runs: one file holds no more.", messages.ERROR
            )
            return None
        runs = TrainingRun.objects.with_account().filter(pk__in=chosen)
        write, mime = (exports.as_csv, "text/csv") if kind == "csv" else (exports.as_json, "application/json")
        answer = HttpResponse(write(runs), content_type=f"{mime}; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="runs.{kind}"'
        return answer
