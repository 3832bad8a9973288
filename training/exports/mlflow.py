"""Write runs to an MLflow tracking server, through its client alone (mlflow-skinny)."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.exports.record import INSTALL, MODEL_FILE, SIGNATURE_FILE, ExportError, RunRecord
from training.models import Status

EXPERIMENT = "digits"
IDENTITY = "digits.run"  # the tag that finds a run again
STATUS = {Status.COMPLETED: "FINISHED", Status.ERROR: "FAILED"}  # others were stopped
BATCH = 500  # entries in a request; the server takes 1000, and 100 parameters or tags
PASSWORD = re.compile(r"//[^/@\s]*@")  # with the user name, in an address
MAX_TAG, MAX_PARAMETER = 5000, 6000  # characters
# Read at the import. By default the client reports its use to its makers, and tries for four minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def export_to_mlflow(record: RunRecord, where: str) -> str:
    """Write a run of the experiment `digits` at the tracking URI `where`, and return what was done.

    A run that is already there gets the current tags, and nothing else. One whose export was interrupted is written
    again. Raises ExportError.
    """
    with client_of(where) as client:
        experiment = client.get_experiment_by_name(EXPERIMENT)
        number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
        tags = {name: value[:MAX_TAG] for name, value in tags_of(record).items()}
        for run in client.search_runs([number], f"tags.`{IDENTITY}` = '{record.identity}'"):
            if run.info.status != "RUNNING":
                log(client, run.info.run_id, tags)
                return f"{record.name} is already in MLflow, as {run.info.run_id}. Its tags were updated."
            client.delete_run(run.info.run_id)
        created = client.create_run(number, start_time=milliseconds(record.started), tags=tags)
        write(client, created.info.run_id, record)
        return f"{record.name} is in MLflow, as {created.info.run_id}."


@contextmanager
def client_of(where: str) -> Iterator[Any]:
    """Yield a client; while it is used, what goes wrong is raised as ExportError."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError as error:
        raise ExportError(f"MLflow needs the package mlflow-skinny: {INSTALL}") from error
    try:
        yield MlflowClient(where)
    except (MlflowException, OSError, ValueError) as error:
        reason = PASSWORD.sub("//…@", str(error).strip().partition("\n")[0])
        raise ExportError(f"MLflow cannot be written: {reason}") from error


def tags_of(record: RunRecord) -> dict[str, str]:
    """Return the tags, with the ones that MLflow's pages show in their own places."""
    own = {"mlflow.runName": record.name, "mlflow.source.name": "digits", IDENTITY: record.identity}
    return record.tags | own | {"mlflow.user": record.tags.get("requested_by", "")}


def write(client: Any, run_id: str, record: RunRecord) -> None:
    """Log everything, and the status last: until then the run counts as not yet exported."""
    from mlflow.entities import Metric

    metrics = [Metric(each.metric, each.value, milliseconds(each.time), each.step) for each in record.measurements]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics[start : start + BATCH])
    log(client, run_id, {}, {name: str(value)[:MAX_PARAMETER] for name, value in record.parameters.items()})
    with TemporaryDirectory() as folder:
        for name, content in (record.files | model_files(record)).items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        if record.files:
            client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, STATUS.get(Status(record.status), "KILLED"), milliseconds(record.ended))


def log(client: Any, run_id: str, tags: dict[str, str], parameters: dict[str, str] | None = None) -> None:
    """Log tags and parameters. Safe to repeat."""
    from mlflow.entities import Param, RunTag

    named = [Param(name, value) for name, value in (parameters or {}).items()]
    client.log_batch(run_id, (), named, [RunTag(name, value) for name, value in tags.items()])


def model_files(record: RunRecord) -> dict[str, bytes]:
    """Return the MLmodel file, which makes the folder a model with a signature that mlflow.onnx can load.

    JSON is YAML. MLflow's own writer needs the whole package, pandas included.
    """
    if MODEL_FILE not in record.files:
        return {}
    described = json.loads(record.files[SIGNATURE_FILE])
    file = Path(MODEL_FILE).name
    flavor = {"data": file, "onnx_version": record.tags.get("version.onnx", ""), "providers": ["CPUExecutionProvider"]}
    function = {"loader_module": "mlflow.onnx", "data": file}
    content = {
        "artifact_path": Path(MODEL_FILE).parent.name,
        "flavors": {"onnx": flavor, "python_function": function},
        "signature": {kind: json.dumps([tensor_of(each) for each in described[kind]]) for kind in described},
    }
    return {"model/MLmodel": json.dumps(content, indent=1).encode()}


def tensor_of(described: dict[str, Any]) -> dict[str, Any]:
    """Return an input or output as MLflow's schema describes tensors."""
    spec = {"dtype": described["dtype"], "shape": described["shape"]}
    return {"name": described["name"], "type": "tensor", "tensor-spec": spec}


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
