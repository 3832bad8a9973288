"""Model files in a bucket: as in a folder, and what happens while it is away."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recognition.storage import storage
from tests.support.bucket import KEYS, BucketServer
from tests.support.constant_models import constant_model
from tests.support.drawings import draw, encode
from tests.support.stack import Stack, eventually, running


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    with closing(BucketServer()) as server:
        yield server


@pytest.fixture(scope="module")
def on_bucket(bucket: BucketServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("bucket"), MODEL_STORAGE_URL=bucket.url, **KEYS) as stack:
        yield stack


def test_a_url_says_where_model_files_lie(tmp_path: Path) -> None:
    assert storage("", tmp_path)["OPTIONS"] == {"location": tmp_path}
    assert storage("file:///mounted/our%20models", tmp_path)["OPTIONS"] == {"location": Path("/mounted/our models")}
    bucket = storage("s3://models/a/b?endpoint_url=http://minio:9000&region_name=eu", tmp_path)["OPTIONS"]
    assert bucket == {
        "bucket_name": "models",
        "location": "a/b",
        "endpoint_url": "http://minio:9000",
        "region_name": "eu",
    }


WRONG = [
    "models",
    "/models",
    "file://models",
    "ftp://host/models",
    "s3://",
    "s3:///models",
    "s3://b?acl=public",
    "s3://b?x",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_url_is_refused_at_the_start(settings, url: str) -> None:
    from digits_site.checks import check_start

    settings.MODEL_STORAGE_URL = url
    assert [error.id for error in check_start()] == ["digits.E011"]


def drawn(stack: Stack) -> tuple[int, int]:
    """(status, model) of an answer."""
    answer = stack.http.post("/api/drawing/", content=encode(draw(7)), headers={"Content-Type": "image/png"})
    return answer.status_code, answer.json().get("model")


@pytest.mark.stack
def test_an_object_that_is_gone_is_refused_and_the_previous_model_keeps_serving(
    on_bucket: Stack, tmp_path: Path
) -> None:
    serving = drawn(on_bucket)
    assert serving[0] == 200
    assert len(on_bucket.http.get(f"/api/models/{serving[1]}/filters/").content) > 200_000
    (tmp_path / "eight.onnx").write_bytes(constant_model(8))
    # The row says that it serves, as when the object was lost after its activation.
    code = f"""
from django.core.files.storage import storages
from recognition import registry
from recognition.models import Activation
model = registry.publish(open({str(tmp_path / "eight.onnx")!r}, "rb").read(), test_accuracy=0.5)
storages["models"].delete(model.file.name)
Activation.objects.create(model=model, previous=Activation.current())
print(model.pk)
"""
    number = on_bucket.manage("shell", "--verbosity", "0", "-c", code).strip()
    eventually(lambda: drawn(on_bucket) == serving and f"model {number} rejected" in on_bucket.log("web"), 5)
    assert drawn(on_bucket) == serving
    gone = on_bucket.http.get(f"/api/models/{number}/onnx/")
    assert (gone.status_code, gone.json()["code"]) == (404, "no_file")


@pytest.mark.stack
def test_while_the_bucket_is_away_the_present_model_answers_and_a_run_ends_with_a_code(
    on_bucket: Stack, bucket: BucketServer
) -> None:
    serving = drawn(on_bucket)
    bucket.close()
    began = time.monotonic()
    assert drawn(on_bucket) == serving
    assert time.monotonic() - began < 2, "no drawing waits for the bucket"
    away = on_bucket.http.get(f"/api/models/{serving[1]}/onnx/")
    assert (away.status_code, away.json()["code"]) == (503, "storage_unavailable")
    run = on_bucket.ended(on_bucket.train(samples=64, epochs=1, seed=9))
    assert (run["status"], run["error_code"], run["attempt"], run["model"]) == ("error", "storage_unavailable", 1, None)
    assert "127.0.0.1" not in run["error"], "where the bucket is concerns nobody"
    assert drawn(on_bucket) == serving
