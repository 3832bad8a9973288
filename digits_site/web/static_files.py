"""Which static files are collected, under which names, and how they are made smaller."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

# DRF's browsable API, Redoc, and files of Swagger UI that no page loads: 15 MB.
UNUSED = ["rest_framework", "redoc", "swagger-ui-standalone-preset*", "oauth2-redirect*"]


class Finder(AppDirectoriesFinder):
    """Find the apps' static files without the unused ones."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Any:
        return super().list([*(ignore_patterns or ()), *UNUSED])


# By the file's ending. Other people's files come minified.
MINIFIED = {".js": "application/javascript", ".css": "text/css"}
OWN_FOLDERS = {"recognition", "training"}


def minify(text: str, mime_type: str) -> str:
    """Return JavaScript or CSS without comments and with short local names; as it is where the library has no wheel."""
    try:
        import minify as library  # here: only collectstatic needs its 8 MB
    except ImportError:
        return text
    minified: str = library.string(mime_type, text)
    return minified


class Storage(CompressedManifestStaticFilesStorage):
    """Minify the product's own files, and rewrite `import … from "./x.js"` so that modules can be cached for ever."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 12  # at most one for each module in a chain of imports; the default is 5

    def _save(self, name: str, content: Any) -> str:
        """Save a file, or its copy whose name holds a hash. The hash is that of the text before it was minified."""
        path = PurePosixPath(name)
        if path.parts[0] in OWN_FOLDERS and path.suffix in MINIFIED:
            content.seek(0)  # it was read to compute the hash
            content = ContentFile(minify(content.read().decode(), MINIFIED[path.suffix]))
        return str(super()._save(name, content))
