"""FastAPI doing the work, for ``uvicorn benchmarks._serving.fast:app``."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks._serving.work import Reader

app = FastAPI()
reader = Reader()


class Drawing(BaseModel):
    drawing: str


@app.post("/api/drawing/")
async def drawing(body: Drawing) -> dict[str, Any]:
    """In the event loop: on one core a thread for each request would only cost more."""
    return reader.read(body.drawing)
