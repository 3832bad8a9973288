"""Read MODEL_STORAGE_URL: model files are in a folder of this machine, or in a bucket that several machines share."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

BUCKET_OPTIONS = {"endpoint_url", "region_name", "addressing_style"}  # as django-storages names them


def storage(url: str, folder: Path) -> dict[str, Any]:
    """Return the entry of STORAGES for `url`, or for `folder` if it is empty. Raises ValueError.

    `file:///path` is another folder, `s3://bucket/prefix?endpoint_url=…&region_name=…` a bucket. boto3 finds its
    credentials in its usual places.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if not parts.netloc or "@" in parts.netloc:
            raise ValueError("Name the bucket, without credentials: s3://bucket/prefix. boto3 takes AWS_ACCESS_KEY_ID.")
        if unknown := options.keys() - BUCKET_OPTIONS:
            raise ValueError(f"Unknown option {', '.join(sorted(unknown))}. Use {', '.join(sorted(BUCKET_OPTIONS))}.")
        options |= {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
        return {"BACKEND": "recognition.bucket.Bucket", "OPTIONS": options}
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        folder = Path(unquote(parts.path))
    elif url:
        raise ValueError("Use file:///path or s3://bucket/prefix.")
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}


def storage_or_folder(url: str, folder: Path) -> dict[str, Any]:
    """The same, but with `folder` for an invalid URL: digits_site.checks reports it with all other mistakes."""
    try:
        return storage(url, folder)
    except ValueError:
        return storage("", folder)
