"""Model files in an S3 bucket. Imported only if MODEL_STORAGE_URL names one: boto3 is 30 MB."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from recognition.errors import StorageUnavailable

# Short: a request waits while a new model is fetched, and a run sends no heartbeat while it saves its model.
TIMEOUTS = {"connect_timeout": 2, "read_timeout": 4, "retries": {"total_max_attempts": 2, "mode": "standard"}}
MISSING = {"404", "NoSuchKey"}
logger = logging.getLogger(__name__)


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Convert boto3's errors to FileNotFoundError and StorageUnavailable."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in MISSING:
            raise FileNotFoundError(errno.ENOENT, "Not in the bucket", name) from error
        logger.error("cannot access %s in the bucket: %s", name, error)
        raise StorageUnavailable from error


class Bucket(S3Storage):
    """django-storages' bucket with the errors of a folder, or StorageUnavailable.

    Opening a file fetches all of it: django-storages fetches at the first read, where no caller expects an error.
    """

    def __init__(self, **settings: Any) -> None:
        style = {"addressing_style": settings.pop("addressing_style", None)}
        super().__init__(client_config=Config(s3=style, **TIMEOUTS), **settings)
        # One client for all threads (boto3 allows it): under ASGI each request has its own thread, and a client costs
        # 80 ms and several MB.
        self._connections = SimpleNamespace()

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with storage_errors(name):
            client, key = self.connection.meta.client, self._normalize_name(name)
            content: bytes = client.get_object(Bucket=self.bucket_name, Key=key)["Body"].read()
        return ContentFile(content, name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with storage_errors(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with storage_errors(name):
            super().delete(name)
