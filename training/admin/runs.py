"""Runs in the admin: a read-only history with actions."""

import json
import shlex
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from digits_site.web.admin.actions import ActionAdmin
from digits_site.web.formatting import format_duration, format_percent
from recognition.models import Activation, in_service
from training.admin import exports
from training.admin.actions import ACTIONS
from training.models import Epoch, TrainingRun
from training.serializers import TrainingParametersSerializer, represent

ATTEMPT_FIELDS = ("attempt", "resumed_after_epoch", "worker")
NOT_LISTED = ("confusion", "versions", "error", "error_detail")


@admin.register(TrainingRun)
class TrainingRunAdmin(ActionAdmin):
    change_form_template = "admin/training/trainingrun/change_form.html"
    list_display = (
        *("__str__", "state", "curve", "accuracy", "gain", "epochs_done"),
        *("waited", "ran", "who", "queued", "serves"),
    )
    list_filter = ("status", "preset", ("requested_by", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("requested_by",)
    date_hierarchy = "queued_at"
    search_fields = ("=id", "requested_by__username", "error_code")
    list_per_page = 50
    show_full_result_count = False
    actions = ("export_csv", "export_json")
    object_actions = ACTIONS
    fieldsets = (
        (None, {"fields": ("state", "accuracy", "gain", "calibration", "model", "serves", "who")}),
        ("Corrections", {"fields": ("base", "corrections_used")}),
        ("Not put into service", {"fields": ("not_activated",)}),
        ("Results", {"fields": ("results",)}),
        ("Times", {"fields": ("queued_at", "started_at", "finished_at", "waited", "ran", "stop_requested_at")}),
        ("Recipe", {"fields": ("preset", "parameters_table", "versions_table", "commands", *ATTEMPT_FIELDS)}),
        ("Error", {"fields": ("error_code", "error", "error_folded")}),
    )
    readonly_fields = tuple(str(name) for _, part in fieldsets for name in part["fields"])

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        reads = Activation.objects.values("model__test_accuracy")[:1]
        runs = TrainingRun.objects.with_finished_epochs().annotate(
            in_service=in_service("model_id"), serving_reads=reads
        )
        if request.resolver_match and (request.resolver_match.url_name or "").endswith("_changelist"):
            few = Epoch.objects.only("run_id", "epoch", "accuracy", "val_accuracy")
            runs = runs.defer(*NOT_LISTED).prefetch_related(Prefetch("epochs", few))
        return runs

    def view_on_site(self, run: TrainingRun) -> str:
        return reverse("run-page", args=[run.pk])

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        absent = {
            "Corrections": not (obj and obj.base_id),
            "Not put into service": not (obj and obj.not_activated),
            "Error": not (obj and obj.error_code),
        }
        return [part for part in self.fieldsets if not absent.get(str(part[0]))]

    @admin.display(description="status", ordering="status")
    def state(self, run: TrainingRun) -> SafeString:
        stopping = " (stopping)" if run.is_active and run.stop_requested_at else ""
        return format_html('<span class="run-state {}">{}{}</span>', run.status, run.get_status_display(), stopping)

    @admin.display(description="curve")
    def curve(self, run: TrainingRun) -> str:
        """Return the validation accuracies, or without them the training accuracies, for a sparkline."""
        epochs = list(run.epochs.all())
        kind, name = ("Training", "accuracy")
        if epochs and epochs[-1].val_accuracy is not None:
            kind, name = ("Validation", "val_accuracy")
        values = [value for epoch in epochs if (value := getattr(epoch, name)) is not None]
        if not values:
            return "–"
        title = f"{kind} accuracy from {format_percent(values[0])} to {format_percent(values[-1])}"
        html = '<span class="run-spark" role="img" aria-label="{0}" title="{0}" data-sparkline="{1}"></span>'
        return format_html(html, title, json.dumps(values))

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, run: TrainingRun) -> str:
        return run.percent

    @admin.display(description="gain", ordering="test_accuracy")
    def gain(self, run: Any) -> str:
        """Return the percentage points of test accuracy above the model in service."""
        if run.test_accuracy is None or run.serving_reads is None:
            return "–"
        points = round(100 * (run.test_accuracy - run.serving_reads), 2)
        if not points:
            return "±0"
        kind, sign = ("better", "+") if points > 0 else ("worse", "−")
        return format_html('<span class="run-gain {}">{}{}</span>', kind, sign, f"{abs(points):.2f}")

    @admin.display(description="calibration error")
    def calibration(self, run: TrainingRun) -> str:
        return format_percent(run.calibration_error)

    @admin.display(description="epochs", ordering="finished_epochs")
    def epochs_done(self, run: Any) -> str:
        return f"{run.finished_epochs} of {'at most ' if run.base_id else ''}{run.parameters['epochs']}"

    @admin.display(description="queued", ordering="queued_at")
    def queued(self, run: TrainingRun) -> str:
        return f"{run.queued_at:%Y-%m-%d %H:%M}"

    @admin.display(description="waited")
    def waited(self, run: TrainingRun) -> str:
        return format_duration(((run.started_at or run.finished_at or timezone.now()) - run.queued_at).total_seconds())

    @admin.display(description="ran")
    def ran(self, run: TrainingRun) -> str:
        if run.started_at is None:
            return "–"
        return format_duration(((run.finished_at or timezone.now()) - run.started_at).total_seconds())

    @admin.display(description="started by", ordering="requested_by__username")
    def who(self, run: TrainingRun) -> str:
        return run.requester_name

    @admin.display(description="in service")
    def serves(self, run: Any) -> str:
        return "in service" if run.in_service else "–"

    @admin.display(description="corrections")
    def corrections_used(self, run: TrainingRun) -> str:
        used = run.corrections
        return f"{used.count} learned, {used.held_out} held out; SHA-256 {used.sha256}"

    @admin.display(description="results")
    def results(self, run: TrainingRun) -> str:
        """Return the run as JSON for training/js/admin/run.js, which draws it as the run's own page does."""
        return render_to_string("admin/training/results.html", {"run": represent(run)})

    @admin.display(description="parameters")
    def parameters_table(self, run: TrainingRun) -> str:
        parameters = TrainingParametersSerializer(run).data
        return render_to_string("admin/training/pairs.html", {"pairs": parameters.items()})

    @admin.display(description="versions")
    def versions_table(self, run: TrainingRun) -> str:
        return render_to_string("admin/training/pairs.html", {"pairs": run.versions.items()})

    @admin.display(description="run it again")
    def commands(self, run: TrainingRun) -> SafeString:
        """Show the commands of the same run: for the API, and on this machine."""
        parameters = dict(TrainingParametersSerializer(run).data)
        if run.base_id:
            parameters["corrections_of"] = run.pk
        body = shlex.quote(json.dumps({"preset": run.preset, **parameters}))
        options = [f"--{name.replace('_', '-')} {value}" for name, value in parameters.items() if name != "activate"]
        local = f"python manage.py train --preset {shlex.quote(run.preset)} {' '.join(options)}"
        here = f"http://127.0.0.1:{settings.PORT}" if settings.LOCAL else f"https://{settings.ALLOWED_HOSTS[0]}"
        token = "" if settings.TRAINING_OPEN else " -H 'Authorization: Token …'"
        call = f"curl {here}/api/retrain_model/{token} -H 'Content-Type: application/json' -d {body}"
        return format_html('<pre class="run-commands">{}\n\n{}</pre>', call, local)

    @admin.display(description="detail")
    def error_folded(self, run: TrainingRun) -> str:
        if not run.error_detail:
            return "–"
        return format_html("<details><summary>Show the log</summary><pre>{}</pre></details>", run.error_detail)

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
