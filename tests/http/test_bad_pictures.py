"""Pictures over HTTP as clients send them: those that are none, those too large, and one digit in many forms."""

import json
import time
import warnings
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.test import Client
from PIL import Image

from tests.support import bombs
from tests.support.drawings import chunk, data_url, draw, encode, png_header, with_chunk
from tests.support.fives import BAD_CRC, BOMB, JPEG, PNG, SAME
from tests.support.refusals import JSON, assert_refused
from tests.support.stack import Stack
from tests.support.wire import Connection


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def ask(client: Client, picture: bytes, way: str = "data URL") -> Any:
    if way == "data URL":
        return client.post("/api/drawing/", {"drawing": data_url(picture)}, content_type=JSON)
    return client.post("/api/drawing/", picture, content_type="image/png")


EXIF = Image.Exif()
EXIF[0x010E] = "a five"
# One or two files for each code: what leads to which error is tested in tests/unit/test_preprocessing.py.
REFUSED = {
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_image"),
    "GIF": (encode(draw(5), "GIF"), 415, "unsupported_image"),
    "text": (b"seven", 415, "unsupported_image"),
    "half a PNG": (PNG[: len(PNG) // 2], 400, "corrupt_image"),
    "wrong CRC": (BAD_CRC, 400, "corrupt_image"),
    "13300x13300": (png_header(13300, 13300), 413, "image_too_large"),
    "30000x30000": (png_header(30000, 30000, 1, 0), 413, "image_too_large"),
    "1x1024": (encode(Image.new("L", (1, 1024))), 400, "image_too_small"),
    "blank": (encode(Image.new("L", (280, 280), 255)), 422, "blank_drawing"),
    "transparent": (encode(Image.new("RGBA", (280, 280), (0, 0, 0, 0))), 422, "blank_drawing"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_drawing_is_refused_with_its_code(name: str) -> None:
    picture, status, code = REFUSED[name]
    for way in ("data URL", "raw"):
        assert_refused(ask(Client(HTTP_HOST="localhost"), picture, way), status, code)


@pytest.mark.parametrize(
    ("picture", "status"),
    [
        pytest.param(bombs.many_scans(999, 1000, 20_000), 400, id="scans"),
        pytest.param(bombs.many_scans(4096, 4096, 1000), 400, id="scans of a large one"),
        pytest.param(bombs.many_scans(999, 1000, 32, arithmetic=True), 415, id="arithmetic"),
        pytest.param(bombs.with_segments(JPEG, bombs.segment(0xFFFE) * 180_000), 400, id="comments"),
        pytest.param(bombs.with_segments(JPEG, bombs.segment(0xFFE1, b"Exif\0\0") * 70_000), 400, id="EXIF, empty"),
        pytest.param(bombs.with_segments(JPEG, b"\xff" * 700_000), 400, id="fill bytes"),
        pytest.param(bombs.with_segments(JPEG, bombs.segment(0xFFE1, bombs.exif_of_tags(5400))), 200, id="tags"),
        pytest.param(bombs.webp_of_tags(draw(5), 60_000), 200, id="tags of a WebP"),
        pytest.param(PNG[:-12] + chunk(b"IDAT", b"") * 60_000 + PNG[-12:], 400, id="chunks"),
    ],
)
def test_what_only_costs_time_is_not_read(client: Client, picture: bytes, status: int) -> None:
    """Pillow would take from half a second to minutes, and write a line of log for each tag."""
    ask(client, PNG)  # the model is loaded
    with warnings.catch_warnings(record=True) as written:
        began = time.process_time()
        answer = client.post("/api/drawing/", picture, content_type="image/png")
        took = time.process_time() - began
    assert answer.status_code == status, answer.content
    assert status >= 400 or answer.json()["prediction"] == 5
    assert took < 0.2, took
    assert not written


DECODED = SAME | {
    **{f"a bomb in {kind!r}": with_chunk(PNG, kind, b"n\0\0" + BOMB) for kind in (b"zTXt", b"iCCP")},
    "an animation of 1,001 pictures": encode(
        draw(5).convert("1", dither=Image.Dither.NONE),
        save_all=True,
        append_images=[Image.new("1", (280, 280), n % 2) for n in range(1000)],
    ),
    "a progressive JPEG with profile, comment and thumbnail": encode(
        draw(5).convert("RGB"), "JPEG", progressive=True, icc_profile=bytes(200_000), comment=b"five", exif=EXIF
    ),
    "a WebP with EXIF": encode(draw(5), "WEBP", exif=EXIF),
}


def test_one_digit_in_every_mode_and_polarity_and_beside_anything_is_the_same_digit(client: Client) -> None:
    answers = {name: ask(client, picture) for name, picture in DECODED.items()}
    assert {name: (answer.status_code, answer.json().get("prediction")) for name, answer in answers.items()} == (
        dict.fromkeys(DECODED, (200, 5))
    )


@pytest.mark.django_db
def test_a_progressive_jpeg_has_at_most_32_scans() -> None:
    client = Client(HTTP_HOST="localhost")
    assert_refused(ask(client, bombs.many_scans(64, 64, 32)), 422, "blank_drawing")
    assert_refused(ask(client, bombs.many_scans(64, 64, 33)), 400, "corrupt_image")


# --- The running product: lengths that lie, and what a bomb costs ---


def said(stack: Stack, sent: bytes, seconds: float = 10) -> tuple[int, str]:
    """Status and code of the first answer to bytes as they are; 0 when none comes in time."""
    answer = Connection(stack.port, seconds).exchange(sent)
    return answer.status, json.loads(answer.body)["code"] if answer.kind == JSON else ""


HEAD = b"POST /api/drawing/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.mark.stack
def test_a_length_that_lies(stack: Stack) -> None:
    """Shorter than the body: the rest is another request, and a bad one. Longer: half a body is not answered."""
    body = b'{"drawing": "' + b"A" * 2_000_000 + b'"}'
    assert said(stack, HEAD + b"Content-Length: 5\r\n\r\n" + body) == (400, "invalid_json")
    assert said(stack, HEAD + b"Content-Length: 2000015\r\n\r\n" + body) == (413, "payload_too_large")
    assert said(stack, HEAD + b"Content-Length: 1048577\r\n\r\n{}", seconds=0.5)[0] in {0, 413}
    assert said(stack, HEAD + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n{}xxx")[0] == 400
    assert stack.http.post("/api/drawing/", json={"drawing": data_url(PNG)}).json()["prediction"] == 5
    assert "Traceback" not in stack.log("web")


@pytest.mark.stack
@pytest.mark.parametrize("picture", [png_header(13300, 13300), png_header(30000, 30000, 1, 0)], ids=["RGBA", "1-bit"])
def test_a_bomb_costs_the_running_product_neither_time_nor_memory(stack: Stack, picture: bytes) -> None:
    web = Path(f"/proc/{stack.processes['web'].pid}/status")

    def most() -> int:
        return 1024 * int(web.read_text().split("VmHWM:")[1].split()[0])

    ask = lambda data: stack.http.post("/api/drawing/", content=data, headers={"Content-Type": "image/png"})  # noqa: E731
    for _ in range(20):  # the model is loaded, and memory has its shape
        assert ask(PNG).json()["prediction"] == 5
    resident, peak, seconds = psutil.Process(stack.processes["web"].pid).memory_info().rss, most(), []
    for _ in range(5):
        answer = ask(picture)
        assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")
        seconds.append(answer.elapsed.total_seconds())
    assert min(seconds) < 0.05, seconds
    assert most() - max(resident, peak) < 10_000_000
