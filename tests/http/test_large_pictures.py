"""Large pictures are decoded one at a time, and the drawings of everybody else pass them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from recognition.api import decode_slots, drawings
from recognition.imaging import EncodedImage
from tests.support.drawings import draw, encode

LARGE, SMALL = encode(draw(7, 1200)), encode(draw(7))


class Gate:
    """Holds large pictures where they are decoded until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.held, self.most = threading.Event(), 0, 0
        self.lock = threading.Lock()
        decode = EncodedImage.decode
        monkeypatch.setattr(EncodedImage, "decode", lambda picture: self.decode(picture, decode))

    def decode(self, picture: EncodedImage, decode: Callable[[EncodedImage], Image.Image]) -> Image.Image:
        if picture.pixels >= decode_slots.LARGE_PIXELS:
            with self.lock:
                self.held += 1
                self.most = max(self.most, self.held)
            self.open.wait(20)
            with self.lock:
                self.held -= 1
        return decode(picture)


@pytest.fixture
def gate(shipped: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


def post(picture: bytes) -> HttpResponse:
    return Client(HTTP_HOST="localhost").post("/api/drawing/", picture, content_type="image/png")


def wait_until(true: Any) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def prepared(pool: ThreadPoolExecutor, number: int) -> list[Future[Any]]:
    """Past the view: its database is this test's transaction."""
    return [pool.submit(drawings.prepare, EncodedImage(LARGE)) for _ in range(number)]


def no_large_picture_may_wait() -> bool:
    if free := decode_slots.large_queue.acquire(blocking=False):
        decode_slots.large_queue.release()
    return not free


def test_small_drawings_pass_large_pictures_and_too_many_of_those_are_refused_at_once(gate: Gate) -> None:
    with ThreadPoolExecutor(2) as pool:
        first = prepared(pool, 1)
        wait_until(lambda: gate.held == 1)
        second = prepared(pool, decode_slots.MAX_LARGE_WAITING)
        wait_until(no_large_picture_may_wait)
        began = time.monotonic()
        third = post(LARGE)
        assert (third.status_code, third.json()["code"]) == (503, "busy")
        assert int(third["Retry-After"]) > 0
        assert post(SMALL).json()["prediction"] == 7
        assert time.monotonic() - began < 1, "neither waits for the large ones"
        gate.open.set()
        assert all(one.result(10).shape == (28, 28) for one in first + second)
    assert gate.most == 1
    assert post(LARGE).json()["prediction"] == 7, "every slot was released"


def test_a_large_picture_that_cannot_be_read_releases_its_slot(shipped: None) -> None:
    for _ in range(2 + decode_slots.MAX_LARGE_WAITING):
        assert post(LARGE[: len(LARGE) // 2]).status_code == 400
    assert post(LARGE).status_code == 200
