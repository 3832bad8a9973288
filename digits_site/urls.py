"""Every URL of the product."""

from django.contrib import admin
from django.urls import include, path

from digits_site import pages, views
from digits_site.exposition import metrics
from digits_site.openapi.views import DocsView, SchemaView

urlpatterns = [
    path("", pages.home, name="home"),
    path("runs/", pages.runs, name="runs-page"),
    path("runs/<int:pk>/", pages.run, name="run-page"),
    path("runs/compare/", pages.compare, name="compare-page"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("api/", include("recognition.urls")),
    path("api/", include("training.urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("admin/", admin.site.urls),
]
handler400 = "digits_site.views.bad_request"
handler403 = "digits_site.views.forbidden"
handler404 = "digits_site.views.not_found"
handler500 = "digits_site.views.server_error"
