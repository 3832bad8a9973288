"""The HTML pages. Their content comes from the API, so they open even while the database is away."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from training.learner.presets import PRESETS
from training.models import TrainingRun
from training.parameters.recipe import RunParameters
from training.starting_points import MIN_CORRECTIONS

FORM = {"presets": PRESETS, "min_corrections": MIN_CORRECTIONS, "fields": RunParameters().fields}


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the drawing page to a browser; answer other clients as the legacy API does."""
    if "text/html" in request.headers.get("Accept", ""):
        response = render(request, "training/home.html", FORM | {"corrections_open": settings.CORRECTIONS_OPEN})
    else:
        response = JsonResponse({"status": "healthy"})
    response["Vary"] = "Accept"
    return response


@never_cache
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one run, live while it is active."""
    if not TrainingRun.objects.filter(pk=pk).exists():
        raise Http404
    return render(request, "training/run.html", {"number": pk})


runs = never_cache(require_safe(TemplateView.as_view(template_name="training/runs.html")))
compare = never_cache(require_safe(TemplateView.as_view(template_name="training/compare.html")))  # `?run=3&run=5`
