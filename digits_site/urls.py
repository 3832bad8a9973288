"""Every URL of the product."""

from django.contrib import admin
from django.urls import include, path

from digits_site.accounts.views import SignInView, SignOutView
from digits_site.web.monitoring import healthz, metrics, readyz
from digits_site.web.openapi.views import DocsView, SchemaView
from recognition.prediction.classifier import is_available
from training import pages
from training.metrics import collector

urlpatterns = [
    path("api/", include("recognition.api.urls")),
    path("api/", include("training.api.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("", pages.home, name="home"),
    path("runs/", pages.runs, name="runs-page"),
    path("runs/<int:pk>/", pages.run, name="run-page"),
    path("runs/compare/", pages.compare, name="compare-page"),
    path("sign-in/", SignInView.as_view(), name="sign-in"),
    path("sign-out/", SignOutView.as_view(), name="sign-out"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, {"more_checks": {"model": is_available}}, name="readyz"),
    path("metrics", metrics, {"collectors": [collector]}, name="metrics"),
    path("admin/", admin.site.urls),
]
handler400 = "digits_site.web.error_responses.bad_request"
handler403 = "digits_site.web.error_responses.forbidden"
handler404 = "digits_site.web.error_responses.not_found"
handler500 = "digits_site.web.error_responses.server_error"
