"""What is installed: exact versions with checksums, none with a vulnerability that was known; the SBOM; no secrets."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, EXPORT, DEVELOPMENT = "requirements.lock", "requirements-export.lock", "requirements-dev.lock"
PYTHONS = ("3.10.0", "3.11.0", "3.12.0")

# The first release without the vulnerabilities that were known when this was written. The last ones for Python 3.10 are
# older: Pillow 12.3.0 and Keras 3.12.4 get no more fixes there, so 3.10 is for trying out (SECURITY.md).
FLOORS = {
    "django": "5.2.13",
    "djangorestframework": "3.18.2",
    "daphne": "4.2.2",
    "twisted": "24.7",
    "pillow": "13.0",
    "keras": "3.15.1",
}
LAST_FOR_310 = {"pillow": "12.3.0", "keras": "3.12.4"}


class Pin(NamedTuple):
    """One version of one package, with the checksums of its files."""

    name: str
    version: Version
    hashes: tuple[str, ...]


def lines(name: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if re.match(r"\w", line)]


def pins(name: str, python: str = "") -> list[Pin]:
    """What a requirements file pins; with a Python version, what is installed there."""
    found = []
    for line in lines(name):
        text, *hashes = line.partition("#")[0].split(" --hash=")
        one = Requirement(text.strip())
        exact = re.fullmatch(r"==([^=*]+)", str(one.specifier))
        assert exact, f"not pinned: {line[:80]}"
        here = {"python_version": python.rpartition(".")[0], "python_full_version": python}
        if not (python and one.marker) or one.marker.evaluate({**here}):
            checksums = tuple(each.strip() for each in hashes)
            found.append(Pin(canonicalize_name(one.name), Version(exact[1]), checksums))
    return found


# --- The lock ---


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("package", FLOORS)
def test_no_release_below_its_floor_is_installed(python: str, package: str) -> None:
    floor = LAST_FOR_310.get(package, FLOORS[package]) if python == PYTHONS[0] else FLOORS[package]
    versions = [one.version for one in pins(RUNTIME, python) if one.name == package]
    assert len(versions) == 1, f"{package} is pinned {len(versions)} times for Python {python}"
    assert versions[0] >= Version(floor)


@pytest.mark.parametrize(("lock", "packages"), [(RUNTIME, 100), (EXPORT, 40), (DEVELOPMENT, 100)])
def test_every_pin_has_checksums_and_one_version_for_each_python(lock: str, packages: int) -> None:
    assert len(pins(lock)) > packages
    for one in pins(lock):
        assert one.hashes, f"{one.name} has no checksum"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in one.hashes)
    for python in PYTHONS:
        names = [one.name for one in pins(lock, python)]
        assert len(names) == len(set(names)), f"pip would refuse two versions on Python {python}"


def test_all_locks_name_the_same_releases() -> None:
    everything = {(one.name, one.version): one.hashes for one in pins(DEVELOPMENT)}
    assert all(everything.get((one.name, one.version)) == one.hashes for one in [*pins(RUNTIME), *pins(EXPORT)])


@pytest.mark.parametrize("lock", [RUNTIME, EXPORT, DEVELOPMENT])
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_what_the_requirements_ask_for(lock: str, python: str) -> None:
    """Somebody who changes one and forgets `make lock` learns it here."""
    locked = {(one.name, one.version) for one in pins(lock, python)}
    wanted = {(one.name, one.version) for one in pins(lock.replace(".lock", ".txt"), python)}
    assert wanted <= locked, f"run make lock: {wanted - locked}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-export.txt", "requirements-dev.txt"])
def test_every_requirement_says_why_it_is_there(name: str) -> None:
    without = [line for line in lines(name) if not re.search(r"\s# \S[^#]{3,}$", line)]
    assert not without, f"{name}: no reason behind {without}"


def test_what_installs_packages_demands_checksums() -> None:
    """Also the image, and what the documents tell hosts that run a Procfile."""
    for name in ("Makefile", "Dockerfile", "docs/deploying.md"):
        text = (ROOT / name).read_text().replace("\\\n", " ")
        commands = re.findall(r"pip install\s[^\n`]*(?:\n[^\n`]*)?", text)
        assert commands, name
        assert all("--require-hashes" in command for command in commands), f"{name}: {commands}"


@pytest.mark.parametrize(
    ("program", "refusal"), [("pip", "DO NOT MATCH THE HASHES"), ("uv pip", "Hash mismatch for `whitenoise")]
)
def test_a_package_whose_bytes_are_others_is_refused(tmp_path: Path, program: str, refusal: str) -> None:
    """Without the network: a wheel that claims the name and version of a pinned one."""
    one = next(one for one in pins(RUNTIME) if one.name == "whitenoise")
    about = f"Metadata-Version: 2.1\nName: whitenoise\nVersion: {one.version}\n"
    with ZipFile(tmp_path / f"whitenoise-{one.version}-py3-none-any.whl", "w") as wheel:
        for name, text in {"METADATA": about, "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": ""}.items():
            wheel.writestr(f"whitenoise-{one.version}.dist-info/{name}", text)
    (tmp_path / "lock").write_text(f"whitenoise=={one.version} {' '.join(f'--hash={each}' for each in one.hashes)}\n")
    options = ["--no-index", "--find-links", str(tmp_path), "--require-hashes", "--target", str(tmp_path / "packages")]
    command = [sys.executable, "-m", *program.split(), "install", *options, "--no-deps", "-r", str(tmp_path / "lock")]
    tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert tried.returncode != 0
    assert refusal in tried.stderr


needs_tools = pytest.mark.skipif(sys.version_info < (3, 11), reason="the tools of the static checks need Python 3.11")


def make(target: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a recipe of the Makefile with the tools of this environment, without installing them."""
    command = ["make", "--silent", "-f", str(ROOT / "Makefile"), target, f"VENV={sys.prefix}", "-o", "static-python"]
    options = {"cwd": ROOT, "capture_output": True, "text": True, "check": False, "timeout": 120, **options}
    return subprocess.run([*command, *words], **options)


# --- make audit ---


@needs_tools
def test_an_audit_that_cannot_look_packages_up_fails(tmp_path: Path) -> None:
    (tmp_path / "requirements-dev.lock").write_text(f"django==5.2.19 --hash=sha256:{'0' * 64}\n")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:1", "UV_OFFLINE": "1", "PIP_CACHE_DIR": str(tmp_path)}
    audit = make("audit", cwd=tmp_path, env={**os.environ, **nowhere})
    assert audit.returncode != 0
    assert "No known vulnerabilities" not in audit.stdout + audit.stderr


# --- make sbom ---


@needs_tools
def test_the_sbom_is_valid_and_lists_what_is_installed(tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    file = tmp_path / "sbom.json"
    sbom = make("sbom", f"SBOM={file}")
    assert sbom.returncode == 0, sbom.stderr
    document = json.loads(file.read_text())
    # Validation takes a tenth of a second for each component, and all are made alike.
    few = {**document, "components": document["components"][::40]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(few)) is None
    found: dict[str, Any] = {canonicalize_name(one["name"]): one for one in document["components"]}
    wanted = pins(RUNTIME, platform.python_version())
    assert {one.name: found[one.name]["version"] for one in wanted} == {one.name: str(one.version) for one in wanted}
    assert all(found[one.name]["purl"].startswith("pkg:pypi/") for one in wanted)
    unlicensed = {one.name for one in wanted if not found[one.name].get("licenses")}
    assert len(unlicensed) <= 5, f"no licence in their metadata: {unlicensed}"


# --- make secrets ---


PLANTED = {
    "settings.py": ['AWS = "AKIA' + "QWERTYUIOPASDF12" + '"', 'PASSWORD = "' + "correct-horse-battery" + '"'],
    "tests/test_it.py": ["-----BEGIN RSA " + "PRIVATE KEY-----"],
    "README.md": ["postgres://digits:" + "Zk3vQ9" + "@db.example/digits"],
}


@needs_tools
def test_a_planted_secret_is_found(tmp_path: Path) -> None:
    def secrets(**files: list[str]) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("\n".join(text) + "\n")
        subprocess.run(["git", "init", "--quiet", "."], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
        return make("secrets", cwd=tmp_path)

    innocent = {"innocent.py": ["ANSWER = 42"], "tests/innocent.py": [""], "INNOCENT.md": [""]}
    assert secrets(**innocent).returncode == 0
    for files in (["settings.py"], ["tests/test_it.py", "README.md"]):  # they are looked through one after the other
        found = secrets(**{name: PLANTED[name] for name in files})
        assert found.returncode != 0
        places = [f"{name}:{line}" for name in files for line, _ in enumerate(PLANTED[name], 1)]
        assert [place for place in places if place not in found.stdout] == []
        for name in files:
            (tmp_path / name).unlink()
