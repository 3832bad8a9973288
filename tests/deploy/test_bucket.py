"""Model files in a bucket: as in a folder, and what happens while it is away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recognition.storage import storage
from tests.support.bucket import KEYS, NAME, BucketServer
from tests.support.constant_models import constant_model
from tests.support.drawings import draw, encode
from tests.support.stack import Stack, eventually, running


@pytest.fixture(scope="module")
def bucket() -> Iterator[BucketServer]:
    with BucketServer() as server:
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
def test_a_model_is_trained_served_and_taken_away_without_a_folder(on_bucket: Stack, bucket: BucketServer) -> None:
    _, shipped = drawn(on_bucket)
    assert len(on_bucket.http.get(f"/api/models/{shipped}/filters/").content) > 200_000
    run = on_bucket.ended(on_bucket.train(samples=64, epochs=1))
    assert run["status"] == "completed", run
    model = on_bucket.http.get(f"/api/models/{run['model']}/").json()
    assert {f"digits/{model['sha256']}.{kind}" for kind in ("onnx", "keras")} <= set(bucket.names())
    assert not (on_bucket.folder / "models").exists()
    for kind in ("onnx", "keras"):
        content = on_bucket.http.get(f"/api/models/{run['model']}/{kind}/").content
        stored = bucket.client.get_object(Bucket=NAME, Key=f"digits/{model['sha256']}.{kind}")["Body"].read()
        assert content == stored
    in_registry(on_bucket, f"registry.activate(ModelVersion.objects.get(pk={run['model']}))")
    eventually(lambda: drawn(on_bucket) == (200, run["model"]), 10, "the new model's answer")


def in_registry(stack: Stack, code: str) -> str:
    """What `code` prints inside the product."""
    names = "from recognition import registry; from recognition.models import Activation, ModelVersion"
    return stack.manage("shell", "--verbosity", "0", "-c", f"{names}\n{code}").strip()


@pytest.mark.stack
def test_an_object_that_is_gone_is_refused_and_the_previous_model_keeps_serving(
    on_bucket: Stack, bucket: BucketServer, tmp_path: Path
) -> None:
    (tmp_path / "eight.onnx").write_bytes(constant_model(8))
    publish = f"open({str(tmp_path / 'eight.onnx')!r}, 'rb').read(), test_accuracy=0.5"
    number = in_registry(on_bucket, f"print(registry.publish({publish}).pk)")
    model = on_bucket.http.get(f"/api/models/{number}/").json()
    serving = drawn(on_bucket)
    assert serving[0] == 200
    bucket.client.delete_object(Bucket=NAME, Key=f"digits/{model['sha256']}.onnx")
    # The row says that it serves, as when the object was lost after its activation.
    in_registry(on_bucket, f"Activation.objects.create(model_id={number}, previous=Activation.current())")
    eventually(lambda: drawn(on_bucket) == serving and f"model {number} rejected" in on_bucket.log("web"), 5)
    assert drawn(on_bucket) == serving
    gone = on_bucket.http.get(f"/api/models/{number}/onnx/")
    assert (gone.status_code, gone.json()["code"]) == (404, "no_file")
    in_registry(on_bucket, "registry.roll_back()")


@pytest.mark.stack
def test_while_the_bucket_is_away_the_present_model_answers_and_a_run_ends_with_a_code(
    on_bucket: Stack, bucket: BucketServer
) -> None:
    serving = drawn(on_bucket)
    bucket.stop()
    began = time.monotonic()
    assert drawn(on_bucket) == serving
    assert time.monotonic() - began < 2, "no drawing waits for the bucket"
    away = on_bucket.http.get(f"/api/models/{serving[1]}/onnx/")
    assert (away.status_code, away.json()["code"]) == (503, "storage_unavailable")
    run = on_bucket.ended(on_bucket.train(samples=64, epochs=1, seed=9))
    assert (run["status"], run["error_code"], run["attempt"], run["model"]) == ("error", "storage_unavailable", 1, None)
    assert "127.0.0.1" not in run["error"], "where the bucket is concerns nobody"
    assert drawn(on_bucket) == serving
