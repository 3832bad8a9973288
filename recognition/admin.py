"""ModelVersions in the admin: which one serves, since when, by whom; activate and roll back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.lookups import Exact
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from recognition import registry
from recognition.acting import Act, ActingAdmin, Explanation, ask
from recognition.exceptions import NoEarlierModel, RecognitionError
from recognition.models import Activation, ModelVersion

MAY_ACTIVATE = "recognition.add_activation"


class ActivationInline(admin.TabularInline):
    model = Activation
    fields = ("at", "by", "rollback")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "times put into service"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def put_into_service(
    page: admin.ModelAdmin, request: HttpRequest, model: ModelVersion, values: Mapping[str, Any] | None = None
) -> None:
    """Activate on behalf of an admin page, and tell its user. Raises ModelRejected."""
    if Activation.current_model_id() == model.pk:
        page.message_user(request, f"{model} is in service already.", messages.INFO)
        return
    registry.activate(model, by=request.user)
    page.log_change(request, model, "Put into service.")
    page.message_user(request, f"{model} is in service.", messages.SUCCESS)


def explain_service(model: ModelVersion) -> Explanation:
    """What a change from the model in service to `model` means for those who draw."""
    current = Activation.current()
    reads = f"It reads {model.percent} of the test digits."
    if current is None:
        return Explanation([f"{model} will answer every drawing from now on. {reads}", "No model is in service now."])
    before = f"{current.model}, in service since {localize(current.at)}, reads {current.model.percent}."
    worse = current.model.test_accuracy > model.test_accuracy
    return Explanation(
        [f"{model} will answer every drawing, from half a second after you say yes. {reads}", before],
        [f"It is less accurate than {current.model}."] if worse else [],
    )


@admin.register(ModelVersion)
class ModelVersionAdmin(ActingAdmin):
    list_display = ("__str__", "serving", "accuracy", "size_shown", "created_at", "since", "by")
    fields = (
        *("files", "sha256", "size_shown", "accuracy", "temperature", "uncertain_below"),
        *("created_at", "serving", "since", "by"),
    )
    readonly_fields = fields
    inlines = (ActivationInline,)
    refusals = (RecognitionError,)
    acts = {
        "activate": Act(
            button="Put into service",
            permission=MAY_ACTIVATE,
            offered=lambda model: not model.is_current,
            explain=explain_service,
            perform=put_into_service,
        )
    }
    change_list_template = "admin/recognition/modelversion/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        latest = Activation.objects.filter(model=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                is_current=Exact(F("pk"), Subquery(Activation.objects.values("model_id")[:1])),
                activated_at=Subquery(latest.values("at")[:1]),
                activated_by=Subquery(latest.values("by__username")[:1]),
            )
        )

    @admin.display(description="in service")
    def serving(self, model: Any) -> str:
        return "in service" if model.is_current else "–"

    @admin.display(description="in service since")
    def since(self, model: Any) -> str:
        return localize(model.activated_at) if model.is_current else "–"

    @admin.display(description="put there by")
    def by(self, model: Any) -> str:
        return (model.activated_by or "the system") if model.is_current else "–"

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, model: ModelVersion) -> str:
        return model.percent

    @admin.display(description="size", ordering="size")
    def size_shown(self, model: ModelVersion) -> str:
        return filesizeformat(model.size)

    @admin.display(description="files")
    def files(self, model: ModelVersion) -> SafeString:
        kinds = [("onnx", "ONNX"), *([("keras", "Keras")] if model.keras_file else [])]
        links = [(reverse(f"model-{kind}", args=[model.pk]), name) for kind, name in kinds]
        return format_html_join(", ", '<a href="{}" download>{}</a>', links)

    def get_urls(self) -> list[Any]:
        roll_back = path("roll-back/", self.admin_site.admin_view(self.roll_back), name="recognition_roll_back")
        return [roll_back, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = request.user.has_perm(MAY_ACTIVATE)
        return super().changelist_view(request, {**(extra_context or {}), "may_roll_back": may})

    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """GET names the model that would serve again; POST puts it into service."""
        if not request.user.has_perm(MAY_ACTIVATE):
            raise PermissionDenied
        models = HttpResponseRedirect(reverse("admin:recognition_modelversion_changelist"))
        current = Activation.current()
        try:
            if current is None or current.previous is None:
                raise NoEarlierModel
            if request.method != "POST":
                explanation = explain_service(current.previous.model)
                return ask(self, request, "Roll back", current.previous.model, explanation, models.url)
            activation = registry.roll_back(by=request.user)
        except RecognitionError as error:
            self.message_user(request, str(error), messages.ERROR)
            return models
        self.log_change(request, activation.model, "Rolled back to this model.")
        text = format_html("Rolled back: {} is in service.", activation.model)
        self.message_user(request, text, messages.SUCCESS)
        return models
