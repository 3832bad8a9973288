"""ModelVersions in the admin: which one serves, since when, by whom; activate and roll back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.lookups import Exact
from django.http import HttpRequest, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.formats import localize

from recognition import registry
from recognition.exceptions import RecognitionError
from recognition.models import Activation, ModelVersion


class ReadOnlyAdmin(admin.ModelAdmin):
    """A history: looked at and acted on, never typed in."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ActivationInline(admin.TabularInline):
    model = Activation
    fields = ("at", "by", "rollback")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "times put into service"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "serving", "accuracy", "size_shown", "created_at", "since", "by")
    fields = (
        "file",
        "sha256",
        "size_shown",
        "accuracy",
        "temperature",
        "uncertain_below",
        "created_at",
        "serving",
        "since",
        "by",
    )
    readonly_fields = fields
    inlines = (ActivationInline,)
    actions = ("activate",)
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
        return f"{model.test_accuracy:.2%}"

    @admin.display(description="size", ordering="size")
    def size_shown(self, model: ModelVersion) -> str:
        return filesizeformat(model.size)

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("recognition.add_activation")

    @admin.action(description="Put the selected model into service", permissions=["activate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        if len(chosen := list(queryset[:2])) != 1:
            self.message_user(request, "Select one model.", messages.ERROR)
            return
        put_into_service(self, request, chosen[0])

    def get_urls(self) -> list[Any]:
        return [
            path("roll-back/", self.admin_site.admin_view(self.roll_back), name="recognition_roll_back"),
            *super().get_urls(),
        ]

    def roll_back(self, request: HttpRequest) -> HttpResponseRedirect:
        if request.method == "POST" and self.has_activate_permission(request):
            try:
                activation = registry.roll_back(by=request.user)
            except RecognitionError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, activation.model, "Rolled back to this model.")
                self.message_user(request, f"Rolled back: {activation.model} is in service.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_modelversion_changelist"))


def put_into_service(page: admin.ModelAdmin, request: HttpRequest, model: ModelVersion) -> None:
    """Activate on behalf of an admin page, and tell its user how it went."""
    current = Activation.current()
    if current and current.model == model:
        page.message_user(request, f"{model} is in service already.", messages.INFO)
        return
    try:
        registry.activate(model, by=request.user)
    except RecognitionError as error:
        page.message_user(request, str(error), messages.ERROR)
        return
    page.log_change(request, model, "Put into service.")
    page.message_user(request, f"{model} is in service.", messages.SUCCESS)
    if current and current.model.test_accuracy > model.test_accuracy:
        text = f"It reads {model.test_accuracy:.2%} of the test digits, {current.model} read {{:.2%}}."
        page.message_user(request, text.format(current.model.test_accuracy), messages.WARNING)
