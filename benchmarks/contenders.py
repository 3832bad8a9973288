"""The servers that the product is compared with: ``python -m benchmarks.contenders NAME PORT``.

Each runs in a virtual environment of its own and does the product's work on the product's ONNX file, except `flask`,
which is the service of a tutorial: Keras' `model.predict` on the picture scaled to 28x28.
"""

import base64
import os
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

SHIPPED = Path(__file__).resolve().parent.parent / "training" / "data" / "shipped"


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


def predictor() -> Any:
    """A function from data URLs to answers, in one pass through the network on one thread, as in the product."""
    import onnxruntime

    from recognition.api.data_urls import decode_data_url
    from recognition.imaging import prepare

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(SHIPPED / "model.onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def predict(drawings: list[str]) -> list[dict[str, Any]]:
        digits = np.stack([prepare(decode_data_url(drawing)) for drawing in drawings])[..., np.newaxis]
        rows = [row.tolist() for row in session.run(None, {name: digits})[0]]
        return [{"prediction": row.index(max(row)), "confidence": 100 * max(row), "probabilities": row} for row in rows]

    return predict


def fastapi(port: int) -> None:
    import uvicorn
    from fastapi import FastAPI
    from pydantic import create_model

    app, predict = FastAPI(), predictor()
    drawing = create_model("Drawing", drawing=(str, ...))

    @app.post("/api/drawing/")
    async def read(body: drawing) -> dict[str, Any]:  # type: ignore[valid-type]  # made at run time, where pydantic is
        return predict([body.drawing])[0]  # type: ignore[attr-defined]

    read.__annotations__["body"] = drawing
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    name, port = sys.argv[1:]
    if name == "flask":
        gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "benchmarks.contenders:flask()"]
        os.execv(sys.executable, gunicorn)
    fastapi(int(port))
