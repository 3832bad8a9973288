"""The pages for a browser. What is on them comes from the API, so that they open even while the database is away."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from training.learner.presets import PRESETS
from training.models import TrainingRun


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The page for a browser; the original's health answer for anything else."""
    if "text/html" in request.headers.get("Accept", ""):
        response = render(request, "training/home.html", {"presets": PRESETS})
    else:
        response = JsonResponse({"status": "healthy"})
    response["Vary"] = "Accept"
    return response


@never_cache
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The history."""
    return render(request, "training/runs.html")


@never_cache
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run, live while it is active."""
    if not TrainingRun.objects.filter(pk=pk).exists():
        raise Http404
    return render(request, "training/run.html", {"number": pk})


@never_cache
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The runs named by `?run=3&run=5`, side by side."""
    return render(request, "training/compare.html")
