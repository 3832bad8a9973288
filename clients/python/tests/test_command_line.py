"""The command `digits`, as scripts call it."""

import json
import subprocess
import sys
from importlib.metadata import version
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
    epochs = [line.partition(" accuracy")[0] for line in out.splitlines() if line.startswith("epoch")]
    assert epochs == ["epoch 1: training", "epoch 2: training"]
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


@pytest.mark.training
def test_a_run_that_waits_says_so_and_is_cancelled(url: str) -> None:
    first = json.loads(run("train", "--samples", 60_000, "--epochs", 100, "--queue", "--json", url=url)[1])
    try:
        words = ("train", "--samples", 600, "--epochs", 2, "--validation-samples", 100, "--queue")
        code, out, _ = run(*words, "--notes", "a pen", "--tag", "pen", "--tag", "Blue", "--json", url=url)
        second = json.loads(out)
        assert (code, first["queue_position"], second["queue_position"]) == (0, 0, 1)
        assert second["message"]
        (tagged,) = map(json.loads, run("runs", "--tag", "pen", "--limit", 1, "--json", url=url)[1].splitlines())
        assert (tagged["id"], tagged["notes"], tagged["tags"]) == (second["run"], "a pen", ["blue", "pen"])
        assert tagged["parameters"]["validation_samples"] == 100
        out = run(*words, url=url)[1]
        third = int(out.split()[1])
        assert out == f"run {third} waits, number 2 in line\n"
        for waiting in (second["run"], third):
            code, out, _ = run("stop", waiting, "--json", url=url)
            assert (code, json.loads(out)["run"]) == (0, waiting)
            assert json.loads(out)["message"]
        cancelled = run("runs", "--status", "cancelled", "--json", "--limit", 2, url=url)[1].splitlines()
        assert {json.loads(line)["id"] for line in cancelled} == {second["run"], third}
        assert run("watch", third, url=url)[:2] == (1, f"run {third} was cancelled\n")
    finally:
        assert run("stop", first["run"], url=url)[:2] == (0, f"run {first['run']} stops\n")
    assert run("watch", first["run"], url=url)[0] == 1


def test_a_run_is_described_and_what_was_written_is_removed(url: str) -> None:
    number = min(json.loads(line)["id"] for line in run("runs", "--json", url=url)[1].splitlines())
    words = ("describe", number, "--name", "first", "--tag", "keep", "--baseline")
    assert run(*words, url=url)[:2] == (0, f"run {number}: first keep (baseline)\n")
    (baseline,) = map(json.loads, run("runs", "--baseline", "--json", url=url)[1].splitlines())
    assert (baseline["id"], baseline["name"]) == (number, "first")
    code, out, _ = run("describe", number, "--name", "", "--no-tags", "--no-baseline", "--json", url=url)
    cleared = json.loads(out)
    assert (code, cleared["name"], cleared["tags"], cleared["baseline"]) == (0, "", [], False)
    assert run("runs", "--baseline", "--json", url=url)[1] == ""


def test_presets_and_version(url: str) -> None:
    code, out, _ = run("presets", url=url)
    assert code == 0
    assert {line.split()[0] for line in out.splitlines()} >= {"original", "fast", "handwriting", "adapt"}
    found = json.loads(run("presets", "--json", url=url)[1].splitlines()[1])
    assert (found["name"], found["validation_samples"]) == ("fast", 2500)
    assert run("--version", url=url)[:2] == (0, f"digits, version {version('digits-client')}\n")


@pytest.mark.parametrize(
    ("words", "code"),
    {
        "not active": (("stop",), 3),
        "no model to export": (("export", "1000000"), 3),
        "no such option": (("runs", "--colour"), 2),
        "not a label": (("correct", str(SEVEN), "x"), 2),
        "no such file": (("predict", "none.png"), 2),
        "no such file to correct": (("correct", "none.png", "7"), 2),
        "no epoch": (("train", "--epochs", "0"), 2),
        "no such run": (("watch", "0"), 2),
        "tags and none": (("describe", "1", "--tag", "a", "--no-tags"), 2),
        "no such preset": (("train", "--preset", "none"), 3),
        "too many epochs": (("train", "--epochs", "101"), 3),
        "no such model": (("predict", str(SEVEN), "--model", "1000000"), 3),
    }.values(),
)
def test_exit_codes(url: str, words: tuple[str, ...], code: int) -> None:
    assert run(*words, url=url)[0] == code


def test_a_server_that_is_away() -> None:
    code, out, _ = run("runs", "--json", url="http://127.0.0.1:9")
    assert (code, json.loads(out)["code"]) == (4, "unreachable")
