"""manage.py import_corrections and export_corrections: labels, refusals, and files that open again."""

import csv
import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from recognition.corrections.exporting import export_zip
from recognition.models import NO_DIGIT, Correction
from recognition.prediction import classifier
from tests.support.corrections import new_correction, random_grids
from tests.support.drawings import draw, encode
from training.learner import dataset

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
PNG = encode(draw(7))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def run(command: str, *args: Any, **options: Any) -> str:
    output = io.StringIO()
    call_command(command, *map(str, args), stdout=output, **options)
    return output.getvalue()


def labels() -> list[int]:
    return sorted(Correction.objects.values_list("label", flat=True))


def pens(count: int) -> list[bytes]:
    """Drawings of a seven by different pens."""
    return [encode(draw(7, brush=18 + 2 * pen)) for pen in range(count)]


def test_folders_and_names_are_labels(shipped: None, tmp_path: Path) -> None:
    names = ["7/a.png", "none/b.png", "3_anything.png", "4.png", "NONE-1.png", "8/ada/1.png", "ada/2/3.png"]
    names += [".hidden.png", "5/.DS_Store"]
    output = run("import_corrections", write(tmp_path, dict(zip(names, pens(len(names)), strict=True))))
    assert output == "7 imported, 0 already there, 0 refused.\n"
    assert labels() == [2, 3, 4, 7, 8, NO_DIGIT, NO_DIGIT]
    row = Correction.objects.get(label=3)
    assert (row.source, row.state, row.predicted, row.account, row.sender) == ("import", "accepted", 7, None, "")
    assert (row.model_id, row.decided_by) == (classifier.in_service().version, None)


def test_a_folder_of_one_label_is_imported_by_its_own_name(shipped: None, tmp_path: Path) -> None:
    run("import_corrections", write(tmp_path, {"6/1.png": PNG}) / "6")
    assert labels() == [6]


def test_a_table_names_files_and_labels(shipped: None, tmp_path: Path) -> None:
    first, second, third = pens(3)
    folder = write(tmp_path, {"a/one.png": first, "two.png": second, "three.png": third, "7.png": PNG})
    table = tmp_path / "labels.csv"
    table.write_text("\ufefffile,label,who\na/one.png,5,x\ntwo.png,none,y\nthree.png,,z\n7.png,12,z\nno.png,1,z\n")
    output = run("import_corrections", folder, csv=table)
    assert "2 imported, 0 already there, 3 refused." in output
    assert labels() == [5, NO_DIGIT]
    refusals = [line.split()[:2] for line in output.splitlines()[:-1]]
    assert refusals == [
        ["FILE", "CODE"],
        ["three.png", "invalid_label"],
        ["7.png", "invalid_label"],
        ["no.png", "unreadable_file"],
    ]


def test_what_is_refused_is_a_table_and_the_rest_is_imported(shipped: None, tmp_path: Path) -> None:
    blank = encode(Image.new("L", (99, 99)))
    files = {"7/good.png": PNG, "7/blank.png": blank, "7/text.txt": b"seven", "7/cut.png": PNG[:60], "ada.png": PNG}
    output = run("import_corrections", write(tmp_path, files | {"7/odd\x1b[2J.png": b"x" * 99}))
    *refusals, summary = output.splitlines()[1:]
    assert summary == "1 imported, 0 already there, 5 refused."
    assert [line.split()[:2] for line in refusals] == [
        ["7/blank.png", "blank_drawing"],
        ["7/cut.png", "corrupt_image"],
        ["7/odd\\x1b[2J.png", "unsupported_image"],
        ["7/text.txt", "unsupported_image"],
        ["ada.png", "invalid_label"],
    ]
    assert "No digit found in this picture." in refusals[0]


def test_pictures_that_are_there_are_counted_and_not_stored_again(shipped: None, tmp_path: Path) -> None:
    folder = write(tmp_path, {"7/a.png": PNG, "7/copy.png": PNG, "1/a.png": PNG})
    assert run("import_corrections", folder) == "2 imported, 1 already there, 0 refused.\n"
    assert run("import_corrections", folder) == "0 imported, 3 already there, 0 refused.\n"
    assert labels() == [1, 7]


def test_they_wait_for_a_reviewer_if_asked_to(shipped: None, tmp_path: Path) -> None:
    run("import_corrections", write(tmp_path, {"7.png": PNG}), pending=True)
    assert Correction.objects.get().state == "pending"


def test_the_command_fails_if_nothing_could_be_imported(shipped: None, tmp_path: Path) -> None:
    table = write(tmp_path / "t", {"bad.csv": b"name,digit\n", "binary.csv": b"\xff\xfe\x00"})
    for folder, options in (
        (write(tmp_path / "a", {"7/text.txt": b"seven"}), {}),
        (tmp_path / "nowhere", {}),
        (write(tmp_path / "b", {".hidden": b""}), {}),
        (table, {"csv": table / "bad.csv"}),
        (table, {"csv": table / "binary.csv"}),
        (table, {"csv": table / "nowhere.csv"}),
    ):
        with pytest.raises(CommandError) as failure:
            run("import_corrections", folder, **options)
        assert failure.value.returncode == 1
    assert not Correction.objects.exists()


def test_without_a_model_the_command_says_so(db: None, tmp_path: Path) -> None:
    classifier.forget()
    with pytest.raises(CommandError, match="No model is available"):
        run("import_corrections", write(tmp_path, {"7.png": PNG}))


def test_a_terminal_shows_progress_and_a_file_does_not(shipped: None, tmp_path: Path) -> None:
    folder = write(tmp_path, {"7/a.png": PNG, "1/a.png": PNG})
    terminal, file = Terminal(), io.StringIO()
    run("import_corrections", folder, stderr=terminal)
    run("import_corrections", folder, stderr=file)
    assert [part.split("]")[1].strip() for part in terminal.getvalue().split("\r")[1:]] == ["0/2", "1/2", "2/2"]
    assert file.getvalue() == ""


# --- Export ---


@pytest.fixture
def rows(db: None) -> list[Correction]:
    """Twenty accepted corrections, two of them of no digit, and one that is pending."""
    grids = random_grids(21)
    rows = [new_correction(NO_DIGIT if n % 10 == 9 else n % 10, grid=grids[n]) for n in range(20)]
    new_correction(5, grid=grids[20], accepted=False)
    assert {row.held_out for row in rows} == {True, False}
    return rows


def test_idx_files_open_as_mnists_do(rows: list[Correction], tmp_path: Path, monkeypatch) -> None:
    run("export_corrections", tmp_path / "out")
    checksums = {
        path.name.removesuffix(".gz"): hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        for path in (tmp_path / "out").iterdir()
    }
    assert set(checksums) == set(dataset.SHA256)
    monkeypatch.setattr(dataset, "SHA256", checksums)
    for part, is_held_out in (("train", False), ("t10k", True)):
        expected = [row for row in rows if row.label != NO_DIGIT and row.held_out == is_held_out]
        images, numbers = dataset.as_stored(tmp_path / "out", part)
        assert images.tobytes() == b"".join(bytes(row.picture) for row in expected)
        assert numbers.tolist() == [row.label for row in expected]
        header = gzip.decompress((tmp_path / "out" / f"{part}-images-idx3-ubyte.gz").read_bytes())[:16]
        assert np.frombuffer(header, ">u4").tolist() == [0x803, len(expected), 28, 28]


def test_npz_and_csv_hold_every_accepted_correction(rows: list[Correction], tmp_path: Path) -> None:
    output = run("export_corrections", tmp_path, format="npz")
    assert output.splitlines()[-1] == "20 accepted corrections."
    arrays = np.load(tmp_path / "corrections.npz", allow_pickle=False)
    assert arrays["images"].tobytes() == b"".join(bytes(row.picture) for row in rows)
    assert arrays["labels"].tolist() == [row.label for row in rows]
    assert arrays["held_out"].tolist() == [row.held_out for row in rows]
    with (tmp_path / "corrections.csv").open(newline="") as table:
        read = list(csv.DictReader(table))
    assert [row["id"] for row in read] == [str(row.pk) for row in rows]
    assert {row["label"] for row in read} == {*map(str, range(9)), "none"}
    assert [row["picture_sha256"] for row in read] == [row.picture_sha256 for row in rows]


def test_a_chosen_few_are_one_archive(rows: list[Correction]) -> None:
    chosen = Correction.objects.filter(pk__in=[row.pk for row in rows[:3]])
    archive = zipfile.ZipFile(io.BytesIO(export_zip(chosen, "npz")))
    assert archive.testzip() is None
    assert archive.namelist() == ["corrections.npz", "corrections.csv"]
    assert np.load(io.BytesIO(archive.read("corrections.npz")))["labels"].tolist() == [0, 1, 2]
    assert export_zip(chosen, "idx") == export_zip(chosen, "idx")
    assert set(zipfile.ZipFile(io.BytesIO(export_zip(chosen.none(), "idx"))).namelist()) == {
        f"{name}.gz" for name in dataset.SHA256
    }


def test_an_export_is_imported_again_as_the_same_pictures(shipped: None, tmp_path: Path) -> None:
    for digit in range(10):
        write(
            tmp_path / "in",
            {f"{digit}/drawn.png": encode(draw(digit)), f"none/{digit}.png": encode(draw(digit, brush=29))},
        )
    run("import_corrections", tmp_path / "in")
    run("export_corrections", tmp_path / "out", format="npz")
    fields = ("picture_sha256", "label", "predicted", "held_out", "signature")
    before = set(Correction.objects.values_list(*fields))
    Correction.objects.all().delete()
    archive = tmp_path / "out" / "corrections.npz"
    assert run("import_corrections", archive) == "20 imported, 0 already there, 0 refused.\n"
    assert set(Correction.objects.values_list(*fields)) == before
    assert run("import_corrections", archive) == "0 imported, 20 already there, 0 refused.\n"


def test_a_file_that_is_no_export_is_refused(shipped: None, tmp_path: Path) -> None:
    image, path = np.zeros((1, 28, 28), np.uint8), tmp_path / "corrections.npz"
    image[0, 4:24, 13:15] = 255
    for arrays in (
        {"images": image},
        {"images": image, "labels": np.zeros(2, np.uint8)},
        {"images": image.astype(float), "labels": np.zeros(1, np.uint8)},
        {"images": image[:, 1:], "labels": np.zeros(1, np.uint8)},
        {"images": np.array([{}]), "labels": np.zeros(1, np.uint8)},
        {"images": np.zeros((1, 28, 28), np.uint8), "labels": np.zeros(1, np.uint8)},
        {"images": image, "labels": np.full(1, 11, np.uint8)},
        {"images": image, "labels": np.full(1, -1)},
        {"images": image, "labels": np.full(1, 1.5)},
    ):
        np.savez(path, **arrays)
        with pytest.raises(CommandError):
            run("import_corrections", path)
    for content in (b"", b"PK", b"x" * 99, path.read_bytes()[:500]):
        path.write_bytes(content)
        with pytest.raises(CommandError):
            run("import_corrections", path)
    with path.open("wb") as opened:
        np.save(opened, image)
    with pytest.raises(CommandError):
        run("import_corrections", path)
    assert not Correction.objects.exists()
