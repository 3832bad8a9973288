"""Where model files live, from one URL: a folder of this machine, or a bucket that several machines share."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

BUCKET_OPTIONS = {"endpoint_url", "region_name", "addressing_style"}  # as django-storages names them


def storage(url: str, folder: Path) -> dict[str, Any]:
    """The entry of STORAGES for `url`; for an empty one, that of `folder`.

    `file:///path` is another folder, `s3://bucket/prefix?endpoint_url=…&region_name=…` a bucket; its credentials are
    where boto3 looks for them. Raises ValueError.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return bucket(parts.netloc, parts.path, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))))
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        folder = Path(unquote(parts.path))
    elif url:
        raise ValueError("It is neither file:///path nor s3://bucket/prefix.")
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}


def storage_or_folder(url: str, folder: Path) -> dict[str, Any]:
    """The same, but for a wrong URL that of `folder`: digits_site.checks says what is wrong, beside everything else."""
    try:
        return storage(url, folder)
    except ValueError:
        return storage("", folder)


def bucket(name: str, prefix: str, options: dict[str, str]) -> dict[str, Any]:
    """Raises ValueError."""
    if not name or "@" in name:
        raise ValueError("Name the bucket, without credentials: s3://bucket/prefix. boto3 takes AWS_ACCESS_KEY_ID.")
    if unknown := options.keys() - BUCKET_OPTIONS:
        raise ValueError(f"{', '.join(sorted(unknown))} is none of {', '.join(sorted(BUCKET_OPTIONS))}.")
    return {
        "BACKEND": "recognition.bucket.Bucket",
        "OPTIONS": {"bucket_name": name, "location": prefix.strip("/"), **options},
    }
