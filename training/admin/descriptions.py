"""Name, notes, tags and the baseline in the admin: of one run, or the tags of several."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest

from digits_site.web.admin.actions import AdminAction, Explanation
from recognition.deletion import name_all
from training.admin.forms import validate_as_api
from training.history.description import describe
from training.models import RunTag, TrainingRun
from training.parameters.description import ChangedDescription, normalize_tag
from training.services import MAY_TRAIN


class DescriptionForm(forms.Form):
    """What people write on a run, validated as in the API."""

    name = forms.CharField(required=False)
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    tags = forms.CharField(required=False, help_text="Words, separated by spaces.")
    baseline = forms.BooleanField(required=False, help_text="Other runs are compared with it.")

    def __init__(self, run: TrainingRun, data: Any = None) -> None:
        tags = " ".join(map(str, run.tags.all()))
        initial = {"name": run.name, "notes": run.notes, "tags": tags, "baseline": run.is_baseline}
        super().__init__(data, initial=initial, label_suffix="")

    def clean(self) -> dict[str, Any]:
        tags = self.cleaned_data.get("tags", "").split()
        return validate_as_api(self, ChangedDescription(data=self.cleaned_data | {"tags": tags}))


class TagsForm(forms.Form):
    """Tags that several runs get or lose. Each must have few enough of them afterwards."""

    add = forms.CharField(required=False, help_text="Words, separated by spaces.")
    remove = forms.CharField(required=False)

    def __init__(self, runs: list[TrainingRun], data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self.runs = runs
        in_use = RunTag.objects.filter(run__in=runs).order_by("name").values_list("name", flat=True).distinct()
        self.fields["remove"].help_text = f"In use: {', '.join(in_use) or 'none'}."

    def clean(self) -> dict[str, Any]:
        """Return the new tags of each run, {run: tags}, as `tags`."""
        words = (self.cleaned_data.get(name, "").split() for name in ("add", "remove"))
        add, remove = (set(map(normalize_tag, each)) for each in words)
        if not add and not remove:
            raise forms.ValidationError("Give a tag to add or to remove.")
        tags: dict[TrainingRun, list[str]] = {}
        for run in self.runs:
            wanted = {str(tag) for tag in run.tags.all()} - remove | add
            description = ChangedDescription(data={"tags": list(wanted)})
            tags[run] = validate_as_api(self, description).get("tags", [])
            if self.errors:
                self.add_error(None, f"{run} would have the tags {', '.join(sorted(wanted))}.")
                break
        return {"tags": tags}


def describe_run(
    model_admin: admin.ModelAdmin, request: HttpRequest, run: TrainingRun, values: Mapping[str, Any], state: str
) -> None:
    describe(run, values, by=request.user)
    model_admin.message_user(request, f"{run} is changed.", messages.SUCCESS)


def tag_runs(
    model_admin: admin.ModelAdmin, request: HttpRequest, runs: list[TrainingRun], values: Mapping[str, Any], state: str
) -> None:
    """Write the tags of each run; each is logged."""
    with transaction.atomic():
        for run, tags in values["tags"].items():
            describe(run, {"tags": tags}, by=request.user)
    model_admin.message_user(request, f"The tags of {name_runs(runs)} are changed.", messages.SUCCESS)


def name_runs(runs: list[TrainingRun]) -> str:
    return name_all("run", [run.pk for run in runs])


TAG = AdminAction(
    "Tags",
    MAY_TRAIN,
    bool,
    lambda runs: Explanation([f"Adds or removes tags of {name_runs(runs)}. Their other tags stay."]),
    tag_runs,
    TagsForm,
    submit="Save",
)
DESCRIBE = AdminAction(
    "Name and tags",
    MAY_TRAIN,
    lambda run: True,
    lambda run: Explanation([f"What you write on {run} is for finding it again. Everybody can read it."]),
    describe_run,
    DescriptionForm,
    submit="Save",
    several=TAG,
)
