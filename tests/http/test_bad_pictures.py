"""Pictures over HTTP as clients send them: those that only cost time, and one digit in many forms."""

import json
import warnings
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from django.test import Client
from PIL import Image

from recognition.imaging.decoding import isolation
from tests.support import bombs
from tests.support.cpu_time import least_cpu_seconds, of_process_and_children
from tests.support.drawings import chunk, data_url, draw, encode, png_header, with_chunk
from tests.support.fives import BOMB, JPEG, PNG, SAME
from tests.support.refusals import JSON, assert_refused
from tests.support.stack import Stack
from tests.support.wire import Connection


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def ask(client: Client, picture: bytes) -> Any:
    return client.post("/api/drawing/", {"drawing": data_url(picture)}, content_type=JSON)


EXIF = Image.Exif()
EXIF[0x010E] = "a five"


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
        pytest.param(bombs.gif_of_comments(SAME["GIF"], 90_000), 200, id="a comment"),
        pytest.param(bombs.gif_of_comments(SAME["GIF"], 500_000), 400, id="a long comment"),
        pytest.param(bombs.run_length_bmp(700, 700), 415, id="runs"),
        pytest.param(bombs.tiff_of_strips(250_000), 400, id="strips"),
        pytest.param(bombs.tiff_of_strips(2**31), 400, id="strips that are not there"),
        pytest.param(bombs.tiff_of_tags(400), 400, id="large tags of a TIFF"),
        pytest.param(bombs.tiff_of_tags(60_000), 400, id="many tags of a TIFF"),
    ],
)
def test_what_only_costs_time_is_not_read(client: Client, picture: bytes, status: int) -> None:
    """Pillow would take from half a second to minutes, and write a line of log for each tag."""
    ask(client, PNG)  # the model is loaded

    def post() -> None:
        answer = client.post("/api/drawing/", picture, content_type="image/png")
        assert answer.status_code == status, answer.content
        assert status >= 400 or answer.json()["prediction"] == 5

    with warnings.catch_warnings(record=True) as written:
        took = least_cpu_seconds(post, 0.2)
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
    "a photo with a film behind it": JPEG + b"\0\0\0\x18ftypmp42" + b"\xff\xda" * 1000,
    "a WebP with EXIF": encode(draw(5), "WEBP", exif=EXIF),
}


def test_one_digit_in_every_mode_and_polarity_and_beside_anything_is_the_same_digit(client: Client) -> None:
    answers = {name: ask(client, picture) for name, picture in DECODED.items()}
    assert {name: (answer.status_code, answer.json().get("prediction")) for name, answer in answers.items()} == (
        dict.fromkeys(DECODED, (200, 5))
    )


def test_a_decoder_that_fails_ends_alone(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It crashes, takes too long or too much memory, or cannot be started; the next picture is read."""
    pictures = [SAME["HEIF"], SAME["AVIF"], SAME["TIFF"]]
    spin = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass"
    failures: list[tuple[str, float, int, str]] = [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 60, 400, "corrupt_image"),
        (spin, 60, 413, "image_too_large"),
        ("import time; time.sleep(60)", 0.2, 503, "busy"),
    ]
    for number, (code, seconds, status, error) in enumerate(failures):
        script = tmp_path / f"{number}.py"
        script.write_text(code)
        with monkeypatch.context() as patched:
            patched.setattr(isolation, "SCRIPT", str(script))
            patched.setattr(isolation, "TIMEOUT_SECONDS", seconds)
            assert_refused(ask(client, pictures[number]), status, error)
    with monkeypatch.context() as patched:
        patched.setattr(isolation.sys, "executable", "/nowhere")
        assert_refused(ask(client, pictures[0]), 503, "busy")
    assert [ask(client, picture).json()["prediction"] for picture in pictures] == [5, 5, 5]


PHOTOS: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {
    "JPEG": ((8064, 6048), {}),
    "AVIF": ((4032, 3024), {"speed": 10}),
    "HEIF": ((2400, 1800), {"tile_size": 512, "enc_params": {"preset": "ultrafast"}}),
    "TIFF": ((4000, 3000), {"compression": "tiff_lzw"}),
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_a_phones_photo_is_read_as_it_is_sent(client: Client, kind: str) -> None:
    """In less than a second of this process and the decoder's, which has a bound for its memory."""
    size, options = PHOTOS[kind]
    photo = encode(draw(5, size, ink=60, paper=200).convert("RGB"), kind, **options)
    ask(client, PNG)  # the model is loaded

    def post() -> None:
        answer = client.post("/api/drawing/?preview=1", photo, content_type="image/heic").json()
        assert answer["prediction"] == 5
        assert 0.6 < answer["segmentation"]["box"][3] / size[1] < 0.8, "its box is in the photo's pixels"

    took = least_cpu_seconds(post, 1, of_process_and_children)
    assert took < 1, took


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
def test_a_bomb_costs_the_running_product_neither_time_nor_memory(stack: Stack) -> None:
    def ask_stack(picture: bytes) -> httpx.Response:
        return stack.http.post("/api/drawing/", content=picture, headers={"Content-Type": "image/png"})

    def cost_of(picture: bytes) -> tuple[httpx.Response, float]:
        """The answer, and what it took of the processor in seconds, with decoders that have ended."""
        before = sum(web.cpu_times()[:4])
        return ask_stack(picture), sum(web.cpu_times()[:4]) - before

    def peak() -> int:
        return int(Path(f"/proc/{web.pid}/status").read_text().split("VmHWM:")[1].split()[0]) * 1024

    web = psutil.Process(stack.processes["web"].pid)
    for _ in range(20):  # the model is loaded, and memory has its shape
        assert ask_stack(PNG).json()["prediction"] == 5
    before = max(web.memory_info().rss, peak())
    lying = [bombs.lying(SAME[kind], kind, 30000, 30000) for kind in ("HEIF", "AVIF", "TIFF", "GIF", "BMP")]
    for picture in (png_header(13300, 13300), png_header(30000, 30000, 1, 0), *lying):
        costs = [cost_of(picture) for _ in range(5)]
        assert {(answer.status_code, answer.json()["code"]) for answer, _ in costs} == {(413, "image_too_large")}
        assert min(answer.elapsed.total_seconds() for answer, _ in costs) < 1
        assert min(seconds for _, seconds in costs) < 0.05
    assert peak() - before < 10_000_000
    assert [ask_stack(SAME[kind]).json()["prediction"] for kind in ("HEIF", "AVIF", "TIFF")] == [5, 5, 5]
