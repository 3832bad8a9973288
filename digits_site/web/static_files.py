"""Which static files are collected, and under which names."""

from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from whitenoise.storage import CompressedManifestStaticFilesStorage

# DRF's browsable API, Redoc, and files of Swagger UI that no page loads: 15 MB.
UNUSED = ["rest_framework", "redoc", "swagger-ui-standalone-preset*", "oauth2-redirect*"]


class Finder(AppDirectoriesFinder):
    """Find the apps' static files without the unused ones."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Any:
        return super().list([*(ignore_patterns or ()), *UNUSED])


class Storage(CompressedManifestStaticFilesStorage):
    """Also rewrite `import … from "./x.js"` inside the page's ES modules, so that they can be cached for ever."""

    support_js_module_import_aggregation = True
