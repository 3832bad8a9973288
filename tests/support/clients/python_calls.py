"""Call every operation through the client that openapi-python-client generates: python_calls.py URL TOKEN PICTURE.

Prints a line for each: the module's name, the status, and the type of the parsed answer.
"""

import base64
import pkgutil
import sys
from collections.abc import Generator
from contextlib import suppress
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import digits_client
import digits_client.api
from digits_client import AuthenticatedClient, models
from digits_client.types import File

SEVEN = Path(sys.argv[3]).read_bytes()
URL = "data:image/png;base64," + base64.b64encode(SEVEN).decode()


def calls() -> Generator[tuple[str, dict[str, Any]], Any, None]:
    """Yield (operation, arguments), in an order that works, and take each answer."""
    drawing = models.PredictDrawingJsonBodyType0(drawing=URL)
    yield "predict_drawing", {"body": drawing, "preview": models.PredictDrawingPreview.VALUE_0}
    yield (
        "predict_drawing",
        {"body": models.PredictDrawingFilesBody(drawing=File(BytesIO(SEVEN), "seven.png", "image/png"))},
    )
    yield "predict_number", {"body": models.PredictNumberJsonBodyType0(drawing=URL)}
    yield "predict_number", {"body": File(BytesIO(SEVEN), "seven.png", "image/png")}
    yield "predict_drawings", {"body": models.PredictDrawingsBody(drawings=[URL, URL])}
    body = models.CreateCorrectionJsonBodyType0(drawing=URL, label=7)
    sent = yield "create_correction", {"body": body}
    yield "get_correction_summary", {}
    yield "list_corrections", {"label": models.ListCorrectionsLabel.VALUE_7}
    yield "delete_correction", {"id": sent.id}
    yield "delete_corrections_of_account", {"account": "nobody"}
    for name in ("list_presets", "check_model_status", "get_model_accuracy", "get_schema", "get_docs"):
        yield name, {}
    yield (
        "retrain_model",
        {"body": models.StartParameters(preset=models.StartParametersPreset.ORIGINAL, samples=600, epochs=50)},
    )
    yield "get_training_progress", {}
    yield "stop_training", {"body": models.StopParameters()}
    yield "stream_progress", {}
    yield "list_runs", {"include": models.ListRunsInclude.EPOCHS, "page_size": 5}
    yield "get_run", {"id": 1}
    yield "describe_run", {"id": 1, "body": models.PatchedChangedDescription(tags=["shipped"], baseline=True)}
    yield "list_run_digits", {"id": 1, "limit": 3}
    yield "get_run_comparison", {"id": 1}  # the shipped run has none: 404, which is described too
    yield "list_models", {}
    for name in ("get_model", "get_model_onnx", "get_model_keras", "get_model_filters", "get_model_dense"):
        yield name, {"id": 1}
    yield "activate_model", {"id": 1, "body": models.ActivationParameters(reason="again")}


def main(url: str, token: str) -> None:
    modules = {
        module.name.rpartition(".")[2]: module.name
        for module in pkgutil.walk_packages(digits_client.api.__path__, "digits_client.api.")
        if not module.ispkg
    }
    with AuthenticatedClient(base_url=url, token=token, prefix="Token", timeout=60) as client:
        wanted = calls()
        name, arguments = next(wanted)
        with suppress(StopIteration):
            while True:
                answer = import_module(modules[name]).sync_detailed(client=client, **arguments)
                print(name, answer.status_code.value, type(answer.parsed).__name__, flush=True)
                name, arguments = wanted.send(answer.parsed)


if __name__ == "__main__":
    main(*sys.argv[1:3])
