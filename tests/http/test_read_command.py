"""manage.py read: what it prints for files, for standard input and for what cannot be predicted."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from recognition import statistics
from recognition.prediction import classifier
from tests.support.drawings import draw, draw_number, encode

NUMBER = encode(draw_number("98105"))


@pytest.fixture
def folder(shipped: None, tmp_path: Path) -> Path:
    """Pictures by what they show."""
    (tmp_path / "7.png").write_bytes(encode(draw(7)))
    (tmp_path / "98105.jpg").write_bytes(encode(draw_number("98105"), "JPEG"))
    (tmp_path / "blank.png").write_bytes(encode(Image.new("L", (99, 99), 255)))
    (tmp_path / "notes.txt").write_text("seven")
    return tmp_path


def run(*args: Any, **options: Any) -> tuple[list[list[str]], str]:
    """Return the columns of each line, and standard error."""
    output, errors = io.StringIO(), io.StringIO()
    try:
        call_command("read", *map(str, args), stdout=output, stderr=errors, **options)
    except CommandError as error:
        errors.write(str(error))
    return [line.split("\t") for line in output.getvalue().splitlines()], errors.getvalue()


def test_a_file_is_one_line_of_the_digit_and_its_confidence(folder: Path) -> None:
    [[digit, confidence]], errors = run(folder / "7.png")
    answer = Client(HTTP_HOST="localhost").post("/api/drawing/", encode(draw(7)), content_type="image/png").json()
    assert (digit, confidence, errors) == ("7", f"{answer['confidence']:.2f}", "")


def test_several_files_are_named_and_an_uncertain_answer_says_why(folder: Path) -> None:
    seven, photo = folder / "7.png", folder / "98105.jpg"
    lines, errors = run("--number", seven, photo)
    assert [line[:2] for line in lines] == [[str(seven), "7"], [str(photo), "98105"]]
    assert {len(line) for line in lines} == {3}
    lines, _ = run(seven, photo)
    assert [line[3:] for line in lines] == [[], ["uncertain", "several_digits"]]
    assert not errors


def test_the_others_are_predicted_where_one_cannot_be(folder: Path) -> None:
    names = ["blank.png", "notes.txt", "7.png", "nothing.png"]
    lines, errors = run(*(folder / name for name in names))
    assert [line[:2] for line in lines] == [[str(folder / "7.png"), "7"]]
    first, second, third, last = errors.splitlines()
    assert first.startswith(f"{folder / 'blank.png'}: No digit found")
    assert second.startswith(f"{folder / 'notes.txt'}: Unsupported file")
    assert third.startswith(f"{folder / 'nothing.png'}: The file cannot be read: No such file")
    assert last == "3 of 4 files could not be predicted."


def test_standard_input_is_read_and_json_is_the_answer_of_the_api(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(NUMBER)))
    [[line]], errors = run("-", number=True, json=True)
    answer = Client(HTTP_HOST="localhost").post("/api/number/", NUMBER, content_type="image/png").json()
    assert json.loads(line) == {"file": "-"} | answer
    assert not errors


def test_it_counts_nothing(folder: Path) -> None:
    statistics._counts.take()
    run("--number", folder / "98105.jpg")
    assert not statistics._counts.take()


@pytest.mark.django_db
def test_without_a_model_it_says_so(tmp_path: Path) -> None:
    classifier.forget()
    lines, errors = run(tmp_path / "7.png")
    assert (lines, errors) == ([], "No model can be loaded: No model is available. Try again shortly.")
