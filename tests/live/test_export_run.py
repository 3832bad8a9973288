"""manage.py export_run: a run of the real worker, as the trackers' own readers find it."""

import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime
import pytest
from PIL import Image

from tests.support.prepared import run
from tests.support.stack import Stack

pytestmark = pytest.mark.stack
# All in one process, which must not load TensorFlow.
EXPORT = """
import sys, django; django.setup()
from django.core.management import call_command as call
for where in sys.argv[2:]:
    for _ in range(2):
        call("export_run", sys.argv[1], "--to", *where.split("=", 1))
assert "tensorflow" not in sys.modules
"""


def reader(folder: Path) -> Any:
    """TensorBoard's reader of the one event file in the folder, without TensorFlow."""
    sys.modules["tensorboard.compat.notf"] = ModuleType("notf")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    [file] = folder.glob("*tfevents*")
    return EventAccumulator(str(file)).Reload()


def test_a_completed_run_is_exported_once_with_all_that_belongs_to_it(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = stack.train(preset="fast", epochs=2, samples=4000)
    trained = stack.ended(number)
    assert trained["status"] == "completed", trained
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow's own store, without a server
    boards, store = tmp_path / "boards", f"file://{tmp_path}/store"
    environment = stack.environment | {"MLFLOW_ALLOW_FILE_STORE": "true"}
    said = run(environment, "-c", EXPORT, str(number), f"tensorboard={boards}", f"mlflow={store}").splitlines()
    said = [line for line in said if line.startswith("run ")]
    assert said[1].endswith("in place of its earlier export."), said
    assert said[3].startswith(f"run {number} is already in MLflow"), said
    check_tensorboard(boards / f"run-{number}", trained)
    check_mlflow(store, trained, tmp_path)


def check_tensorboard(folder: Path, trained: dict[str, Any]) -> None:
    found = reader(folder)
    for name in ("loss", "accuracy", "val_loss", "learning_rate"):
        points = [(point.step, point.value) for point in found.Scalars(f"epoch/{name}")]
        assert points == [(epoch["epoch"], pytest.approx(epoch[name])) for epoch in trained["epochs"]]
    assert [point.value for point in found.Scalars("test/accuracy")] == [pytest.approx(trained["test_accuracy"])]
    batches = found.Scalars("batch/loss")
    steps, times = [point.step for point in batches], [point.wall_time for point in batches]
    assert len(steps) > 2
    assert steps == sorted(set(steps)), "each batch once"
    assert steps[-1] == 2 * 63, "4,000 digits are 63 batches of 64"
    assert times == sorted(times)
    assert times[-1] <= found.Scalars("test/accuracy")[0].wall_time
    [picture] = found.Images("confusion")
    assert Image.open(io.BytesIO(picture.encoded_image_string)).format == "PNG"
    table = found.Tensors("parameters/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| samples | 4000 |" in table
    assert "_hparams_/session_start_info" in found.summary_metadata
    signature = json.loads((folder / "model" / "signature.json").read_text())
    assert signature == {
        "inputs": [{"name": "digit", "shape": [-1, 28, 28, 1], "dtype": "float32"}],
        "outputs": [{"name": "probabilities", "shape": [-1, 10], "dtype": "float32"}],
    }
    assert onnxruntime.InferenceSession(folder / "model" / "model.onnx").get_inputs()[0].name == "digit"


def check_mlflow(store: str, trained: dict[str, Any], folder: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(store)
    [found] = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert (found.info.run_name, found.info.status) == (f"run {trained['id']}", "FINISHED")
    assert found.data.params == {"preset": "fast"} | {name: str(it) for name, it in trained["parameters"].items()}
    assert found.data.tags.items() >= {"requested_by": "anonymous", "preset": "fast", "status": "completed"}.items()
    assert found.data.tags["version.numpy"] == trained["versions"]["numpy"]
    losses = client.get_metric_history(found.info.run_id, "epoch/loss")
    assert [each.step for each in losses] == [1, 2]
    assert [each.value for each in losses] == pytest.approx([epoch["loss"] for epoch in trained["epochs"]])
    assert found.info.start_time <= losses[0].timestamp < losses[1].timestamp <= found.info.end_time
    assert len(client.get_metric_history(found.info.run_id, "batch/accuracy")) > 2
    files = Path(client.download_artifacts(found.info.run_id, "", str(folder)))
    assert {str(path.relative_to(files)) for path in files.rglob("*.*")} >= {"confusion.png", "model/model.onnx"}
    described = json.loads((files / "model" / "MLmodel").read_text())
    [entry] = json.loads(described["signature"]["inputs"])
    assert entry["tensor-spec"] == {"dtype": "float32", "shape": [-1, 28, 28, 1]}
