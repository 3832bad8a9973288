"""Model files in an S3 bucket. Nothing here is imported unless MODEL_STORAGE_URL names one: boto3 is 30 MB."""

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

# A request waits for a new model to be fetched, and a run that saves its model beats no more: an answer must come soon.
PATIENCE = {"connect_timeout": 2, "read_timeout": 4, "retries": {"total_max_attempts": 2, "mode": "standard"}}
MISSING = {"404", "NoSuchKey"}
logger = logging.getLogger(__name__)


@contextmanager
def told_plainly(name: str) -> Iterator[None]:
    """The one place that knows boto3's errors. Raises FileNotFoundError and StorageUnavailable."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in MISSING:
            raise FileNotFoundError(errno.ENOENT, "It is not in the bucket", name) from error
        logger.error("the bucket does not do as it is asked with %s: %s", name, error)
        raise StorageUnavailable from error


class Bucket(S3Storage):
    """django-storages' bucket, whose errors come as a folder's would, or as StorageUnavailable.

    A file is fetched whole when it is opened: django-storages fetches at the first read, where an error is expected
    of no file.
    """

    def __init__(self, **settings: Any) -> None:
        style = {"addressing_style": settings.pop("addressing_style", None)}
        super().__init__(client_config=Config(s3=style, **PATIENCE), **settings)
        # One client for all threads, which boto3 allows: under ASGI each request has a thread of its own, and a client
        # costs 80 ms and several MB.
        self._connections = SimpleNamespace()

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with told_plainly(name):
            client, key = self.connection.meta.client, self._normalize_name(name)
            content: bytes = client.get_object(Bucket=self.bucket_name, Key=key)["Body"].read()
        return ContentFile(content, name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        with told_plainly(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with told_plainly(name):
            super().delete(name)
