"""Which files of the installed apps are collected as static files."""

from collections.abc import Iterable
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder

# The browsable API of Django REST framework, Redoc, and what only another page of Swagger UI's needs: 15 MB.
UNUSED = ["rest_framework", "redoc", "swagger-ui-standalone-preset*", "oauth2-redirect*"]


class ServedFiles(AppDirectoriesFinder):
    """Each app's, without what no page of ours loads."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Any:
        return super().list([*(ignore_patterns or ()), *UNUSED])
