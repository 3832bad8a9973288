"""The plain service, as a tutorial writes it: Flask and Keras' `model.predict`.

For ``gunicorn benchmarks._serving.plain:app``.
"""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
from flask import Flask, jsonify, request
from PIL import Image

MODEL = Path(__file__).resolve().parents[2] / "training" / "data" / "shipped" / "model.keras"

app = Flask(__name__)
model = keras.models.load_model(MODEL)


@app.post("/api/drawing/")
def drawing() -> Any:
    content = base64.b64decode(request.get_json()["drawing"].split(",")[1])
    image = Image.open(BytesIO(content)).convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image)
    pixels = np.array(paper.convert("L").resize((28, 28)))
    if pixels.mean() > 127:  # the network was trained on white ink
        pixels = 255 - pixels
    probabilities = model.predict(pixels.reshape(1, 28, 28, 1) / 255.0, verbose=0)[0]
    digit = int(probabilities.argmax())
    return jsonify(prediction=digit, confidence=round(float(probabilities[digit]) * 100, 2))
