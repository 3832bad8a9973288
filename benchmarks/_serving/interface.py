"""Gradio doing the work, through its queue and past it: ``python -m benchmarks._serving.interface PORT``."""

from __future__ import annotations

import sys
from typing import Any

import gradio

from benchmarks._serving.work import Reader

reader = Reader()


def read(drawing: str) -> dict[str, Any]:
    return reader.read(drawing)


with gradio.Blocks() as page:
    drawing, answer = gradio.Textbox(), gradio.JSON()
    gradio.Button("Queued").click(read, drawing, answer, api_name="queued")
    gradio.Button("Direct").click(read, drawing, answer, api_name="direct", queue=False)

if __name__ == "__main__":
    page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
