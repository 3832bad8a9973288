"""Runs in the admin: a history to look at and act on; nothing of a run is typed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recognition.admin import ReadOnlyAdmin, put_into_service
from recognition.models import Activation
from training import charts, services
from training.exceptions import NoModel, NotInProgress, TrainingError
from training.models import TrainingRun


def duration(seconds: float) -> str:
    """1 h 02 min, 3 min 20 s, 4.2 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min {rest:02} s"


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "accuracy", "epochs_done", "waited", "ran", "who", "queued_at", "serves")
    list_filter = ("status", "preset", "requested_by")
    list_select_related = ("requested_by",)
    date_hierarchy = "queued_at"
    search_fields = ("=id", "requested_by__username", "error_code")
    list_per_page = 50
    show_full_result_count = False
    actions = ("stop", "train_again", "activate")
    fieldsets = (
        (None, {"fields": ("state", "accuracy", "calibration", "model", "serves", "who")}),
        ("Epochs", {"fields": ("curves", "epochs_table")}),
        ("Confusion matrix of the test set", {"fields": ("confusion_matrix",)}),
        ("Times", {"fields": ("queued_at", "started_at", "finished_at", "waited", "ran", "stop_requested_at")}),
        ("Recipe", {"fields": ("preset", "parameters_table", "versions_table", "attempt", "worker")}),
        ("Error", {"fields": ("error_code", "error", "error_folded")}),
    )
    readonly_fields = tuple(str(name) for _, part in fieldsets for name in part["fields"])
    change_form_template = "admin/training/trainingrun/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        serving = Activation.objects.values("model_id")[:1]
        return super().get_queryset(request).annotate(done=Count("epochs"), serving_id=serving)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [part for part in self.fieldsets if part[0] != "Error" or (obj and obj.error_code)]

    @admin.display(description="status", ordering="status")
    def state(self, run: TrainingRun) -> SafeString:
        stopping = " (stopping)" if run.is_active and run.stop_requested_at else ""
        return format_html('<span class="run-state {}">{}{}</span>', run.status, run.get_status_display(), stopping)

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, run: TrainingRun) -> str:
        return "–" if run.test_accuracy is None else f"{run.test_accuracy:.2%}"

    @admin.display(description="calibration error")
    def calibration(self, run: TrainingRun) -> str:
        return "–" if run.calibration_error is None else f"{run.calibration_error:.4f}"

    @admin.display(description="epochs", ordering="done")
    def epochs_done(self, run: Any) -> str:
        return f"{run.done} of {run.parameters['epochs']}"

    @admin.display(description="waited")
    def waited(self, run: TrainingRun) -> str:
        return duration(((run.started_at or run.finished_at or timezone.now()) - run.queued_at).total_seconds())

    @admin.display(description="ran")
    def ran(self, run: TrainingRun) -> str:
        if run.started_at is None:
            return "–"
        return duration(((run.finished_at or timezone.now()) - run.started_at).total_seconds())

    @admin.display(description="asked by", ordering="requested_by__username")
    def who(self, run: TrainingRun) -> str:
        return run.requester

    @admin.display(description="in service")
    def serves(self, run: Any) -> str:
        return "in service" if run.model_id is not None and run.model_id == run.serving_id else "–"

    @admin.display(description="curves")
    def curves(self, run: TrainingRun) -> str:
        return render_to_string("admin/training/charts.html", {"charts": charts.run_charts(list(run.epochs.all()))})

    @admin.display(description="epochs")
    def epochs_table(self, run: TrainingRun) -> str:
        return render_to_string("admin/training/epochs.html", {"epochs": run.epochs.all()})

    @admin.display(description="read as")
    def confusion_matrix(self, run: TrainingRun) -> str:
        if not run.confusion:
            return "–"
        return render_to_string("admin/training/confusion.html", {"rows": charts.heat_map(run.confusion)})

    @admin.display(description="parameters")
    def parameters_table(self, run: TrainingRun) -> str:
        return render_to_string("admin/training/pairs.html", {"pairs": run.parameters.items()})

    @admin.display(description="versions")
    def versions_table(self, run: TrainingRun) -> str:
        return render_to_string("admin/training/pairs.html", {"pairs": run.versions.items()})

    @admin.display(description="detail")
    def error_folded(self, run: TrainingRun) -> str:
        if not run.error_detail:
            return "–"
        return format_html("<details><summary>Show the log</summary><pre>{}</pre></details>", run.error_detail)

    def has_train_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("training.add_trainingrun")

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recognition.add_activation")

    @admin.action(description="Stop the selected run", permissions=["train"])
    def stop(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        self.act_on_one(request, queryset, self.stop_run)

    @admin.action(description="Train again with the same parameters", permissions=["train"])
    def train_again(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        self.act_on_one(request, queryset, self.train_run_again)

    @admin.action(description="Put the selected run's model into service", permissions=["activate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        self.act_on_one(request, queryset, self.activate_model)

    def act_on_one(
        self, request: HttpRequest, queryset: QuerySet[TrainingRun], act: Callable[[HttpRequest, TrainingRun], None]
    ) -> None:
        """Every action concerns one run; an error is told, not raised."""
        if len(chosen := list(queryset[:2])) != 1:
            self.message_user(request, "Select one run.", messages.ERROR)
            return
        try:
            act(request, chosen[0])
        except TrainingError as error:
            self.message_user(request, str(error), messages.ERROR)

    def stop_run(self, request: HttpRequest, run: TrainingRun) -> None:
        if not run.is_active:
            raise NotInProgress(f"{run} has already ended: it is {run.get_status_display()}.")
        services.request_stop(run.pk)
        self.log_change(request, run, "Stop requested.")
        self.message_user(request, f"{run} was told to stop.", messages.SUCCESS)

    def train_run_again(self, request: HttpRequest, run: TrainingRun) -> None:
        new = services.request_run(run.preset, run.parameters, by=request.user)
        self.log_addition(request, new, f"Trained again with the parameters of {run}.")
        address = reverse("admin:training_trainingrun_change", args=[new.pk])
        self.message_user(request, format_html('<a href="{}">{}</a> is queued.', address, new), messages.SUCCESS)

    def activate_model(self, request: HttpRequest, run: TrainingRun) -> None:
        if run.model is None:
            raise NoModel
        put_into_service(self, request, run.model)

    def get_urls(self) -> list[Any]:
        act = path("<int:pk>/<str:action>/", self.admin_site.admin_view(self.act), name="training_trainingrun_act")
        return [*super().get_urls()[:-1], act, super().get_urls()[-1]]

    def act(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """The buttons of a run's own page: the list's actions on this run."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        get_object_or_404(TrainingRun, pk=pk)
        allowed = self.get_actions(request).get(action)  # holds only what this user may do
        if allowed:
            allowed[0](self, request, self.get_queryset(request).filter(pk=pk))
        else:
            self.message_user(request, "You may not do this.", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:training_trainingrun_change", args=[pk]))
