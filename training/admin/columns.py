"""What the admin shows of a run, in its list and on its page."""

import json
import shlex
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString

from digits_site.web.admin.columns import time_column
from digits_site.web.formatting import MISSING, format_count, format_duration, format_percent, format_significant
from recognition.admin import activations_table
from training.models import TrainingRun
from training.serializers import TrainingParametersSerializer, represent

PRODUCTS = {"tensorflow": "TensorFlow", "numpy": "NumPy", "onnx": "ONNX"}
WRITE: dict[str, Callable[[Any], str]] = {
    "learning_rate": format_significant,
    "seed": str,
}  # the parameters that are no counts


def write_parameter(name: str, value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else WRITE.get(name, format_count)(value)


class RunColumns:
    """The columns of the list and the fields of the page, for a ModelAdmin."""

    queued = time_column("queued_at", "requested")
    started = time_column("started_at", "started")
    finished = time_column("finished_at", "finished")
    stop_requested = time_column("stop_requested_at", "stop requested")

    @admin.display(description="run")
    def run(self, run: TrainingRun) -> SafeString:
        """Return the number, and below it the name and the tags."""
        tags = format_html_join(
            "", ' <span class="run-tag" title="{0}">{0}</span>', ((tag.name,) for tag in run.tags.all())
        )
        mark = SafeString(' <span class="run-tag">baseline</span>') if run.is_baseline else ""
        name = "" if not run.name else format_html('<span class="run-name" title="{0}">{0}</span>', run.name)
        return format_html("{}{}{}{}", str(run), mark, tags, name)

    @admin.display(description="name")
    def title(self, run: TrainingRun) -> str:
        return run.name

    @admin.display(description="notes")
    def notes_text(self, run: TrainingRun) -> SafeString:
        return SafeString(linebreaks(run.notes, autoescape=True))

    @admin.display(description="tags")
    def tag_list(self, run: TrainingRun) -> str:
        return ", ".join(map(str, run.tags.all())) or MISSING

    @admin.display(description="continues")
    def continued(self, run: TrainingRun) -> SafeString:
        url = reverse("admin:training_trainingrun_change", args=[run.continues_id])
        return format_html('<a href="{}">run {}</a>', url, run.continues_id)

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
            return MISSING
        title = f"{kind} accuracy from {format_percent(values[0])} to {format_percent(values[-1])}"
        title += ". The height shows 10% to 99.7%, on a logarithmic scale of the mistakes."
        html = '<span class="run-spark" role="img" aria-label="{0}" title="{0}" data-sparkline="{1}"></span>'
        return format_html(html, title, json.dumps(values))

    @admin.display(description="test accuracy", ordering="test_accuracy")
    def accuracy(self, run: Any) -> SafeString:
        """Return the test accuracy, and the percentage points above the model in service."""
        if run.test_accuracy is None:
            return SafeString(MISSING)
        if run.serving_reads is None:
            return SafeString(run.percent)
        points = round(100 * (run.test_accuracy - run.serving_reads), 2)
        kind, gain = ("better", f"+{points:.2f}") if points > 0 else ("worse", f"−{-points:.2f}")
        html = '{} <span class="run-extra run-gain {}" title="Percentage points above the model in service">{}</span>'
        return format_html(html, run.percent, *((kind, gain) if points else ("", "±0")))

    @admin.display(description="calibration error")
    def calibration(self, run: TrainingRun) -> str:
        return format_percent(run.calibration_error)

    @admin.display(description="epochs", ordering="finished_epochs")
    def epochs_done(self, run: Any) -> str:
        return f"{run.finished_epochs} of {'at most ' if run.base_id else ''}{run.parameters['epochs']}"

    @admin.display(description="waited")
    def waited(self, run: TrainingRun) -> str:
        return format_duration(((run.started_at or run.finished_at or timezone.now()) - run.queued_at).total_seconds())

    @admin.display(description="ran")
    def ran(self, run: TrainingRun) -> str:
        if run.started_at is None:
            return MISSING
        return format_duration(((run.finished_at or timezone.now()) - run.started_at).total_seconds())

    @admin.display(description="ran")
    def took(self, run: TrainingRun) -> SafeString:
        """Return how long the run has run, and how long it waited before."""
        return format_html('{} <span class="run-extra">waited {}</span>', self.ran(run), self.waited(run))

    @admin.display(description="started by", ordering="requested_by__username")
    def who(self, run: TrainingRun) -> SafeString:
        """Return a name that may be long: the list shows two lines of it."""
        return format_html('<span class="run-who" title="{0}">{0}</span>', run.requester_name)

    @admin.display(description="stopped by")
    def stopper(self, run: TrainingRun) -> str:
        return run.stopper_name

    @admin.display(description="model", ordering="model_id")
    def published(self, run: Any) -> SafeString:
        """Link to the model, and say whether it is in service."""
        if run.model_id is None:
            return SafeString(MISSING)
        url = reverse("admin:recognition_modelversion_change", args=[run.model_id])
        mark = SafeString(' <span class="in-service">in service</span>') if run.in_service else ""
        return format_html('<a href="{}">model {}</a>{}', url, run.model_id, mark)

    @admin.display(description="put into service")
    def activations(self, run: TrainingRun) -> str:
        """Render when, by whom and how the run's model was put into service."""
        return activations_table(run.model) if run.model else MISSING

    @admin.display(description="corrections")
    def corrections_used(self, run: TrainingRun) -> str:
        used = run.corrections
        return f"{format_count(used.count)} learned, {format_count(used.held_out)} held out; SHA-256 {used.sha256}"

    @admin.display(description="results")
    def results(self, run: TrainingRun) -> str:
        """Return the run as JSON for training/js/admin/run.js, which draws it as the run's own page does."""
        return render_to_string("admin/training/results.html", {"run": represent(run)})

    @admin.display(description="parameters")
    def parameters_table(self, run: TrainingRun) -> str:
        parameters = TrainingParametersSerializer(run).data
        pairs = {
            name.replace("_", " ").capitalize(): write_parameter(name, value) for name, value in parameters.items()
        }
        return render_to_string("admin/training/pairs.html", {"pairs": pairs.items()})

    @admin.display(description="versions")
    def versions_table(self, run: TrainingRun) -> str:
        pairs = [(PRODUCTS.get(name, name.capitalize()), version) for name, version in run.versions.items()]
        return render_to_string("admin/training/pairs.html", {"pairs": pairs})

    @admin.display(description="environment")
    def environment_table(self, run: TrainingRun) -> str:
        pairs = [(name.replace("_", " ").capitalize(), value) for name, value in run.environment.items()]
        return render_to_string("admin/training/pairs.html", {"pairs": pairs})

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
