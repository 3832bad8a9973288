"""Decode slots: how many drawings are decoded at once, and that small ones pass large ones."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from recognition.api.parsing import decode_slots, drawings
from recognition.imaging import EncodedImage, Pixels, find_candidates
from tests.support.drawings import data_url, draw, encode
from tests.support.refusals import JSON, assert_refused
from tests.support.stack import eventually

LARGE, SMALL = encode(draw(7, 1200)), encode(draw(7))
SEVEN = {"drawing": data_url(SMALL)}


class Gate:
    """Holds pictures of at least `pixels` where they are decoded, until it is opened; counts how many it holds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.held, self.most, self.pixels = threading.Event(), 0, 0, 0
        self.lock = threading.Lock()
        decode = EncodedImage.decode
        monkeypatch.setattr(EncodedImage, "decode", lambda picture: self.decode(picture, decode))

    def decode(self, picture: EncodedImage, decode: Callable[[EncodedImage], Pixels]) -> Pixels:
        if picture.pixels >= self.pixels:
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


def prepare_in(pool: ThreadPoolExecutor, picture: bytes, times: int) -> list[Future[Any]]:
    """Prepare a picture in threads, past the view: the view's database is this test's transaction."""
    return [pool.submit(drawings.prepare, EncodedImage(picture), find_candidates) for _ in range(times)]


def no_large_picture_may_wait() -> bool:
    if free := decode_slots.large_queue.acquire(blocking=False):
        decode_slots.large_queue.release()
    return not free


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/drawing/", SEVEN), ("/api/number/", SEVEN), ("/api/drawings/", {"drawings": [*SEVEN.values()]})],
)
def test_a_drawing_that_gets_no_slot_is_refused_as_busy(
    gate: Gate, settings, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    settings.MAX_DECODES = 2
    monkeypatch.setattr(decode_slots, "SLOT_TIMEOUT_SECONDS", 0.2)
    client = Client(HTTP_HOST="localhost")
    with ThreadPoolExecutor(2) as pool:
        held = prepare_in(pool, SMALL, 2)
        eventually(lambda: gate.held == 2, 10)
        answer = client.post(path, body, content_type=JSON)
        assert gate.held == 2, "it did not wait for a slot to come free"
        assert_refused(answer, 503, "busy")
        assert int(answer["Retry-After"]) > 0
        assert client.post(path, {}, content_type=JSON).status_code == 400, "a bad request needs no slot"
        gate.open.set()
        for one in held:
            one.result(10)
    assert client.post(path, body, content_type=JSON).status_code == 200


def test_no_more_than_max_decodes_are_decoded_at_once(gate: Gate, settings) -> None:
    settings.MAX_DECODES = 2
    with ThreadPoolExecutor(8) as pool:
        prepared = prepare_in(pool, SMALL, 8)
        eventually(lambda: gate.held == 2, 10)
        time.sleep(0.3)  # in which a third would come
        gate.open.set()
        assert len([one.result(10) for one in prepared]) == 8
    assert gate.most == 2


def test_small_drawings_pass_large_pictures_and_too_many_large_ones_are_refused_at_once(gate: Gate) -> None:
    gate.pixels = decode_slots.LARGE_PIXELS
    with ThreadPoolExecutor(2) as pool:
        first = prepare_in(pool, LARGE, 1)
        eventually(lambda: gate.held == 1, 10)
        second = prepare_in(pool, LARGE, decode_slots.MAX_LARGE_WAITING)
        eventually(no_large_picture_may_wait, 10)
        began = time.monotonic()
        third = post(LARGE)
        assert_refused(third, 503, "busy")
        assert int(third["Retry-After"]) > 0
        assert post(SMALL).json()["prediction"] == 7
        assert gate.held == 1, "neither waits for the large ones"
        assert time.monotonic() - began < decode_slots.SLOT_TIMEOUT_SECONDS, "the refused one waits for no slot"
        gate.open.set()
        assert all(one.result(10).found for one in first + second)
    assert gate.most == 1
    assert post(LARGE).json()["prediction"] == 7, "every slot was released"


def test_a_picture_that_cannot_be_decoded_releases_its_slot(shipped: None, settings) -> None:
    settings.MAX_DECODES = 1
    for picture in (SMALL, LARGE):
        for _ in range(2 + decode_slots.MAX_LARGE_WAITING):
            assert_refused(post(picture[: len(picture) // 2]), 400, "corrupt_image")
        assert post(picture).json()["prediction"] == 7


def test_a_slot_goes_to_whoever_waits_not_back_to_whoever_had_it() -> None:
    slot, stop = decode_slots.FairSemaphore(1), threading.Event()

    def prepare_a_batch() -> None:
        while not stop.is_set():
            assert slot.acquire(5)
            time.sleep(0.01)
            slot.release()

    with ThreadPoolExecutor(1) as pool:
        batch = pool.submit(prepare_a_batch)
        time.sleep(0.02)
        taken = []
        for _ in range(10):
            taken.append(slot.acquire(5))
            if taken[-1]:
                slot.release()
        stop.set()
        batch.result()
    assert all(taken)


def test_whoever_gave_up_waiting_for_a_slot_gets_none() -> None:
    slot = decode_slots.FairSemaphore(1)
    assert slot.acquire(0)
    assert not slot.acquire(0.01)
    slot.release()
    assert slot.acquire(0)
