"""Models in the admin: the registry, activation and rollback."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from digits_site.web.admin.actions import AdminAction, Explanation, NothingToDo, confirm
from digits_site.web.admin.columns import time_column
from digits_site.web.admin.deletion import DeletingAdmin
from digits_site.web.admin.search import TermSearch
from digits_site.web.formatting import MISSING, format_probability, format_significant, time_tag
from recognition import registry
from recognition.admin.deletion import DELETE_MODELS
from recognition.admin.lineage import lineage
from recognition.admin.search import CONDITIONS, TERMS
from recognition.errors import NoEarlierModel
from recognition.models import Activation, ModelVersion, Origin, Via, first_run, in_service

MAY_ACTIVATE = "recognition.add_activation"
ACTIVATIONS_SHOWN = 20  # activations listed on a model's page


def explain_change(current: Activation | None, model: ModelVersion) -> Explanation:
    """Explain the change from the activation in force to `model`."""
    effect = f"Once confirmed, {model} answers all drawings within half a second. Its test accuracy is {model.percent}."
    if current is None:
        return Explanation([effect, "No model is in service now."], state=0)
    serving = current.model
    sentence = "{} has been in service since {}. Its test accuracy is {}."
    before = format_html(sentence, capfirst(str(serving)), time_tag(current.at), serving.percent)
    is_worse = serving.test_accuracy > model.test_accuracy
    warnings = [capfirst(f"{model} is less accurate than {serving}.")] if is_worse else []
    return Explanation([effect, before], warnings, current.pk, capfirst(f"{serving} was {current.origin}."))


def explain_service(model: ModelVersion) -> Explanation:
    """Explain putting `model` into service. Raises NothingToDo if it is in service already."""
    current = Activation.current()
    if current and current.model_id == model.pk:
        raise NothingToDo(capfirst(f"{model} is already in service."))
    explanation = explain_change(current, model)
    return replace(explanation, warnings=[*explanation.warnings, *registry.objections_to(model)])


class ReasonForm(forms.Form):
    """Asks why a model goes into service although the comparison is against it."""

    reason = forms.CharField(
        max_length=Activation._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why this model should go into service despite the comparison. It is stored with the activation.",
    )


def reason_form(model: ModelVersion, data: Any = None) -> ReasonForm | None:
    """Return the form if the comparison with the model in service is against `model`."""
    return ReasonForm(data, label_suffix="") if registry.objections_to(model) else None


def put_into_service(
    model_admin: admin.ModelAdmin, request: HttpRequest, model: ModelVersion, values: Mapping[str, Any], expected: int
) -> None:
    """Activate `model` in place of the confirmed activation, `expected`.

    Raises ModelRejected, StateChanged and WorseThanChampion.
    """
    reason = values.get("reason", "")
    registry.activate(model, by=request.user, via=Via.ADMIN, expected=expected, reason=reason)
    model_admin.message_user(request, f"{model} is in service.", messages.SUCCESS)


def explain_roll_back(current: Activation | None) -> Explanation:
    """Explain the return to the model that was in service before. Raises NoEarlierModel for the first activation."""
    if current is None or current.previous is None:
        raise NoEarlierModel
    return explain_change(current, current.previous.model)


def roll_back(
    model_admin: admin.ModelAdmin, request: HttpRequest, current: Activation, values: Mapping[str, Any], expected: int
) -> None:
    """Return from the confirmed activation, `expected`, to the one before. Raises ModelRejected and StateChanged."""
    activation = registry.roll_back(by=request.user, via=Via.ADMIN, expected=expected)
    model_admin.message_user(request, f"Rolled back: {activation.model} is in service.", messages.SUCCESS)


ROLL_BACK = AdminAction("Roll back", MAY_ACTIVATE, bool, explain_roll_back, roll_back)


def activations_table(model: ModelVersion, with_reason: bool = False) -> str:
    """Render the newest activations of the model, in two queries."""
    activations = model.activations.order_by("-pk")
    newest = activations.select_related("by")[:ACTIVATIONS_SHOWN]
    context = {"activations": newest, "count": activations.count(), "with_reason": with_reason}
    return render_to_string("admin/recognition/activations.html", context)


@admin.register(ModelVersion)
class ModelVersionAdmin(TermSearch, DeletingAdmin):
    list_display = ("title", "serving", "accuracy", "source", "size_shown", "created")
    fields = (
        *("serving", "source", "files", "sha256", "size_shown", "accuracy", "temperature_shown", "uncertain"),
        *("created", "lineage_list", "activations_shown"),
    )
    readonly_fields = fields
    terms, conditions = TERMS, CONDITIONS
    search_help_text = (
        "By number (“model 2”), name, run (“run 3”), the first characters of the SHA-256, or “in service”."
    )
    list_per_page = 50
    show_full_result_count = False
    object_actions = {
        "activate": AdminAction(
            *("Put into service", MAY_ACTIVATE, lambda model: not model.in_service, explain_service, put_into_service),
            form=reason_form,
        )
    }
    deletion = DELETE_MODELS
    change_list_template = "admin/recognition/modelversion/change_list.html"
    created = time_column("created_at", "created")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return super().get_queryset(request).annotate(in_service=in_service(), run=first_run())

    @admin.display(description="model", ordering="pk")
    def title(self, model: ModelVersion) -> str:
        return str(model)

    @admin.display(description="in service")
    def serving(self, model: Any) -> SafeString:
        """Say since when and how the model is in service."""
        current = Activation.current() if model.in_service else None
        if current is None:
            return SafeString("–")
        html = '<span class="in-service">in service</span> since {}, {}'
        return format_html(html, time_tag(current.at), current.origin)

    @admin.display(description="trained by", ordering="run")
    def source(self, model: Any) -> SafeString | str:
        if model.run is None:
            return "elsewhere, " + model.get_origin_display() if model.origin == Origin.FILE else MISSING
        return format_html(
            '<a href="{}">run {}</a>', reverse("admin:training_trainingrun_change", args=[model.run]), model.run
        )

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, model: ModelVersion) -> str:
        return model.percent

    @admin.display(description="size", ordering="size")
    def size_shown(self, model: ModelVersion) -> str:
        return filesizeformat(model.size)

    @admin.display(description="temperature")
    def temperature_shown(self, model: ModelVersion) -> str:
        return f"{format_significant(model.temperature)} (divides the logits, so that a confidence is a frequency)"

    @admin.display(description="uncertain below")
    def uncertain(self, model: ModelVersion) -> str:
        if model.uncertain_below is None:
            return MISSING
        return f"{format_probability(model.uncertain_below)} (less confident predictions are called uncertain)"

    @admin.display(description="files")
    def files(self, model: ModelVersion) -> SafeString:
        kinds = [("onnx", "ONNX"), *([("keras", "Keras")] if model.keras_file else [])]
        links = [(reverse(f"model-{kind}", args=[model.pk]), name) for kind, name in kinds]
        return format_html_join(", ", '<a href="{}" download>{}</a>', links)

    @admin.display(description="lineage")
    def lineage_list(self, model: ModelVersion) -> str:
        return render_to_string("admin/recognition/lineage.html", {"generations": lineage(model)})

    @admin.display(description="activations")
    def activations_shown(self, model: ModelVersion) -> str:
        return activations_table(model, with_reason=True)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the activations to users who may view them."""
        may = request.user.has_perm("recognition.view_activation")
        return [name for name in self.fields if may or name != "activations_shown"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Offer the rollback if there is a model to return to, and the user may."""
        current = Activation.current() if request.user.has_perm(MAY_ACTIVATE) else None
        previous = current.previous.model if current and current.previous else None
        return super().changelist_view(request, {"previous": previous, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        roll_back = path("roll-back/", self.admin_site.admin_view(self.roll_back), name="recognition_roll_back")
        return [roll_back, *super().get_urls()]

    def roll_back(self, request: HttpRequest) -> HttpResponse:
        """Confirm and perform the return to the model that was in service before."""
        return confirm(self, request, ROLL_BACK, Activation.current, self.url_of("changelist"))
