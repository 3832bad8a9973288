"""The command `digits`, as scripts call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import BLANK, NUMBER, SEVEN


def run(*words: object, url: str) -> tuple[int, str, str]:
    command = [str(Path(sys.executable).with_name("digits")), "--url", url, "--patience", "1", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_predict(url: str) -> None:
    code, out, _ = run("predict", SEVEN, SEVEN, url=url)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["7", "7"]
    code, out, err = run("predict", SEVEN, BLANK, "none.png", url=url)
    assert (code, len(out.splitlines()), len(err.splitlines())) == (3, 1, 2)
    assert "none.png" in err
    code, out, _ = run("predict", "--number", "--json", NUMBER, BLANK, url=url)
    number, blank = map(json.loads, out.splitlines())
    assert (code, number["number"], blank["code"]) == (3, "407", "blank_drawing")


@pytest.mark.training
def test_train_watch_and_lists(url: str, tmp_path: Path) -> None:
    words = ("--samples", 600, "--batch-size", 64, "--epochs", 2)
    code, out, _ = run("train", *words, "--watch", url=url)
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("epoch")] == ["epoch 1", "epoch 2"]
    code, out, _ = run("train", *words, "--watch", "--json", url=url)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["epoch"] for event in events if event["type"] == "epoch"] == [1, 2]
    number, model = events[-1]["run"], events[-1]["model"]
    assert run("watch", number, url=url)[0] == 0
    for words in (("runs",), ("models", "list")):
        code, out, _ = run(*words, "--json", "--limit", 1, url=url)
        assert (code, len(out.splitlines())) == (0, 1)
        assert json.loads(out)["id"] in {number, model}
        assert str(json.loads(out)["id"]) in run(*words, url=url)[1]
    file = tmp_path / "model.onnx"
    code, out, _ = run("export", model, "-o", file, "--json", url=url)
    assert (code, json.loads(out)["bytes"]) == (0, file.stat().st_size)


@pytest.mark.parametrize(
    ("words", "code"),
    {
        "not active": (("stop",), 3),
        "no such model": (("export", "1000000"), 3),
        "no such option": (("runs", "--colour"), 2),
        "not a label": (("correct", str(SEVEN), "x"), 2),
    }.values(),
)
def test_exit_codes(url: str, words: tuple[str, ...], code: int) -> None:
    assert run(*words, url=url)[0] == code


def test_a_server_that_is_away() -> None:
    code, out, _ = run("runs", "--json", url="http://127.0.0.1:9")
    assert (code, json.loads(out)["code"]) == (4, "unreachable")
