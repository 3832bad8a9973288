"""The servers that the product is compared with: ``python -m benchmarks.support.contenders NAME PORT``.

Each runs in a virtual environment of its own and does the product's work: its ONNX file, its code for pictures. `flask`
alone is the service of a tutorial: Keras' `model.predict` on the picture scaled to 28x28.
"""

import base64
import os
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

try:
    from litserve import LitAPI
except ImportError:  # in the other contenders' environments
    LitAPI = object
SHIPPED = Path(__file__).resolve().parents[2] / "training" / "data" / "shipped"
BATCH_SECONDS = 0.01  # that LitServe waits for more drawings


def flask() -> Any:
    """The application that gunicorn serves."""
    import keras
    from flask import Flask, jsonify, request
    from PIL import Image

    app, model = Flask(__name__), keras.models.load_model(SHIPPED / "model.keras")

    @app.post("/api/drawing/")
    def drawing() -> Any:
        picture = Image.open(BytesIO(base64.b64decode(request.get_json()["drawing"].split(",")[1]))).convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        pixels = np.array(paper.convert("L").resize((28, 28)))
        if pixels.mean() > 127:  # the network was trained on white ink
            pixels = 255 - pixels
        probabilities = model.predict(pixels.reshape(1, 28, 28, 1) / 255.0, verbose=0)[0]
        return jsonify(prediction=int(probabilities.argmax()), confidence=float(probabilities.max()) * 100)

    return app


class Reader:
    """Drawings to answers, with the network on one thread, as in the product."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(SHIPPED / "model.onnx"), options)
        self.input = self.session.get_inputs()[0].name

    def prepare(self, drawing: str) -> Any:
        """The candidates in a data URL."""
        from recognition.api.parsing.data_urls import decode_data_url
        from recognition.imaging import EncodedImage, find_candidates

        return find_candidates(EncodedImage(decode_data_url(drawing)).decode())

    def predict(self, drawings: list[Any]) -> list[dict[str, Any]]:
        """The answers for the candidates of each drawing, in one pass through the network."""
        digits = np.stack([one.digit for candidates in drawings for one in candidates])[..., np.newaxis]
        rows = iter(self.session.run(None, {self.input: digits})[0].tolist())
        return [self.best([(one.weight, next(rows)) for one in candidates]) for candidates in drawings]

    @staticmethod
    def best(candidates: list[tuple[float, list[float]]]) -> dict[str, Any]:
        _, row = max(candidates, key=lambda one: one[0] * max(one[1]))
        return {"prediction": row.index(max(row)), "confidence": 100 * max(row), "probabilities": row}


def fastapi(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import create_model

    app, reader = FastAPI(), Reader()
    drawing = create_model("Drawing", drawing=(str, ...))

    @app.post("/api/drawing/")
    async def read(body: drawing) -> dict[str, Any]:  # type: ignore[valid-type]  # made at run time, where pydantic is
        return reader.predict([reader.prepare(body.drawing)])[0]  # type: ignore[attr-defined]

    read.__annotations__["body"] = drawing
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")


class Drawings(LitAPI):
    """Puts up to 32 clients' drawings into one pass through the network. Here, because LitServe pickles it."""

    def setup(self, device: str) -> None:
        self.reader = Reader()

    def decode_request(self, request: dict[str, str]) -> Any:
        return self.reader.prepare(request["drawing"])

    def batch(self, inputs: list[Any]) -> list[Any]:
        return inputs

    def predict(self, x: list[Any]) -> list[dict[str, Any]]:
        return self.reader.predict(x)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output


def litserve(port: int) -> None:
    from litserve import LitServer

    api = Drawings(max_batch_size=32, batch_timeout=BATCH_SECONDS, api_path="/api/drawing/")
    server = LitServer(api, accelerator="cpu")
    server.run(host="127.0.0.1", port=port, num_api_servers=1, log_level="warning", generate_client_file=False)


if __name__ == "__main__":
    name, port = sys.argv[1:]
    if name == "flask":
        options = ["--bind", f"127.0.0.1:{port}", "benchmarks.support.contenders:flask()"]
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *options])
    {"fastapi": fastapi, "litserve": litserve}[name](int(port))
