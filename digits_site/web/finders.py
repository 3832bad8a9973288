"""Which files of the installed apps are collected as static files."""

from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder

# DRF's browsable API, Redoc, and files of Swagger UI that no page loads: 15 MB.
UNUSED = ["rest_framework", "redoc", "swagger-ui-standalone-preset*", "oauth2-redirect*"]


class ServedFiles(AppDirectoriesFinder):
    """The apps' static files without the unused ones."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Any:
        return super().list([*(ignore_patterns or ()), *UNUSED])
