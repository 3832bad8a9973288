"""The product's settings, with a storage of models whose disk is full once a file says so."""

import errno
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

from digits_site.settings import *  # noqa: F403
from digits_site.settings import DATA_DIR, STORAGES

FULL = Path(DATA_DIR) / "disk is full"


class FullDisk(FileSystemStorage):
    """Half a file fits."""

    def _save(self, name: str, content: Any) -> str:
        if not FULL.exists():
            return super()._save(name, content)
        with Path(self.path(name)).open("wb") as torn:
            torn.write(content.read()[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")


STORAGES["models"] = STORAGES["models"] | {"BACKEND": "tests.support.full_disk.FullDisk"}  # type: ignore[operator]
