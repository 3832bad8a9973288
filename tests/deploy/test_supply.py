"""What is installed: exact versions with checksums, none below a release that mended a hole; the SBOM; no secrets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from digits_site.development.audit import HOLES, NOT_LOOKED_UP, SOUND, verdict
from digits_site.development.lock import DEVELOPMENT, RUNTIME, Pin, installed_by, pin, pins
from digits_site.development.sbom import bill, chosen

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12")

# The first release without the holes that were known when this was written. The last ones for Python 3.10 are older:
# Pillow 12.3.0 and Keras 3.12.4 get no more mending there, so 3.10 is for trying out (SECURITY.md).
FLOORS = {
    "django": "5.2.13",
    "djangorestframework": "3.18.2",
    "daphne": "4.2.2",
    "twisted": "24.7",
    "pillow": "13.0",
    "keras": "3.15.1",
}
LAST_FOR_310 = {"pillow": "12.3.0", "keras": "3.12.4"}


def lines(name: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    return [line for line in (ROOT / name).read_text().splitlines() if re.match(r"\w", line)]


# --- The lock ---


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("package", FLOORS)
def test_no_release_below_its_floor_is_installed(python: str, package: str) -> None:
    floor = LAST_FOR_310.get(package, FLOORS[package]) if python == "3.10" else FLOORS[package]
    versions = [one.version for one in installed_by(python, pins(RUNTIME)) if one.name == package]
    assert len(versions) == 1, f"{package} is pinned {len(versions)} times for Python {python}"
    assert versions[0] >= Version(floor)


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda path: path.name)
def test_every_pin_has_checksums_and_one_version_for_each_python(lock: Path) -> None:
    found = pins(lock)
    assert len(found) > 100
    for one in found:
        assert one.hashes, f"{one.name} has no checksum"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in one.hashes)
    for python in PYTHONS:
        names = [one.name for one in installed_by(python, found)]
        assert len(names) == len(set(names)), f"pip would refuse two versions on Python {python}"


@pytest.mark.parametrize("line", ["django>=5.2", "django==5.2.*", "django", "django @ https://pypi.org/x.whl"])
def test_a_pin_that_is_not_exact_is_seen(line: str) -> None:
    with pytest.raises(ValueError, match="pins no version"):
        pin(line)


def test_both_locks_name_the_same_releases() -> None:
    everything = {(one.name, one.version): one.hashes for one in pins(DEVELOPMENT)}
    assert all(everything.get((one.name, one.version)) == one.hashes for one in pins(RUNTIME))


@pytest.mark.parametrize(
    ("requirements", "lock"), [("requirements.txt", RUNTIME), ("requirements-dev.txt", DEVELOPMENT)]
)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_what_the_requirements_ask_for(requirements: str, lock: Path, python: str) -> None:
    """Somebody who changes one and forgets `make lock` learns it here."""
    locked = {one.name: one.version for one in installed_by(python, pins(lock))}
    for line in lines(requirements):
        wanted = pin_of(line)
        if wanted.holds(python):
            assert locked.get(wanted.name) == wanted.version, f"{wanted.name}: run make lock"


def pin_of(line: str) -> Pin:
    """Of a requirement with its reason behind it."""
    requirement = Requirement(line.partition("#")[0].strip())
    exact = re.fullmatch(r"==([^=*]+)", str(requirement.specifier))
    assert exact, f"not pinned: {line}"
    return Pin(canonicalize_name(requirement.name), Version(exact[1]), (), requirement.marker)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
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


def test_pip_refuses_a_package_whose_bytes_are_others(tmp_path: Path) -> None:
    """Without the network: a wheel that claims the name and version of a pinned one."""
    one = next(one for one in pins(RUNTIME) if one.name == "whitenoise")
    (tmp_path / f"whitenoise-{one.version}-py3-none-any.whl").write_bytes(b"PK\5\6" + bytes(18))
    (tmp_path / "lock").write_text(f"whitenoise=={one.version} {' '.join(f'--hash={each}' for each in one.hashes)}\n")
    options = ["--no-index", "--find-links", str(tmp_path), "--require-hashes", "--dry-run", "--ignore-installed"]
    command = [sys.executable, "-m", "pip", "install", *options, "--no-deps", "-r", str(tmp_path / "lock")]
    tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert tried.returncode != 0
    assert "DO NOT MATCH THE HASHES" in tried.stderr


# --- make audit ---


def test_the_audit_tells_holes_from_packages_that_were_not_looked_up() -> None:
    sound = {"name": "django", "version": "5.2.19", "vulns": []}
    holed = {"name": "pillow", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
    skipped = {"name": "twisted", "skip_reason": "Dependency not found on PyPI"}
    assert verdict({"dependencies": [sound]}) == (SOUND, [])
    assert verdict({"dependencies": [sound, holed, skipped]})[0] == HOLES
    assert "PYSEC-1, mended in 2" in verdict({"dependencies": [holed]})[1][0]
    assert verdict({"dependencies": [sound, skipped]})[0] == NOT_LOOKED_UP
    assert verdict(None)[0] == NOT_LOOKED_UP


# --- make sbom ---

needs_tools = pytest.mark.skipif(sys.version_info < (3, 11), reason="the tools of the static checks need Python 3.11")


@needs_tools
def test_the_sbom_is_valid_and_holds_each_runtime_package_with_its_checksums(tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    file = tmp_path / "sbom.json"
    subprocess.run([sys.executable, "-m", "digits_site.development.sbom", str(file)], cwd=ROOT, check=True, timeout=60)
    document = json.loads(file.read_text())
    tenth = {
        **document,
        "components": document["components"][::10],
    }  # each is made alike, and takes a tenth of a second
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(tenth)) is None
    wanted = {one.name: one for one in pins(RUNTIME) if one.holds()}
    found = {canonicalize_name(one["name"]): one for one in document["components"]}
    assert found.keys() == wanted.keys(), "all of the lock, and no tool of the tests"
    for name, component in found.items():
        assert component["version"] == str(wanted[name].version)
        assert component["purl"].startswith("pkg:pypi/")
        told = {each["content"] for link in component["externalReferences"] for each in link.get("hashes", ())}
        assert {f"sha256:{each}" for each in told} == set(wanted[name].hashes)
    unlicensed = {name for name, component in found.items() if not component.get("licenses")}
    assert len(unlicensed) <= 5, f"say no licence in their metadata: {unlicensed}"
    root = next(one for one in document["dependencies"] if one["ref"] == document["metadata"]["component"]["bom-ref"])
    assert len(root["dependsOn"]) == len(chosen() & wanted.keys())


def test_the_sbom_is_not_written_of_another_installation() -> None:
    component = {"name": "Django", "version": "1.0", "bom-ref": "x"}
    installed = {"components": [component], "dependencies": [], "metadata": {}}
    with pytest.raises(LookupError, match=r"django.*make setup"):
        bill(installed)


# --- make secrets ---


def look_for_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    """The Makefile's own recipe, over the files of another repository."""
    words = [
        "make",
        "--silent",
        "-f",
        str(ROOT / "Makefile"),
        "secrets",
        f"VENV={Path(sys.prefix)}",
        "-o",
        "static-python",
    ]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@needs_tools
@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("settings.py", 'AWS = "AKIA' + "QWERTYUIOPASDF12" + '"'),
        ("settings.py", 'PASSWORD = "' + "correct-horse-battery" + '"'),
        ("tests/test_it.py", "-----BEGIN RSA " + "PRIVATE KEY-----"),
        ("README.md", "postgres://digits:" + "Zk3vQ9" + "@db.example/digits"),
    ],
)
def test_a_planted_secret_is_found(tmp_path: Path, file: str, planted: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    for name, text in {"innocent.py": "ANSWER = 42\n", "tests/innocent.py": "\n", "INNOCENT.md": "\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "--quiet", "."], cwd=tmp_path, check=True)
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    assert look_for_secrets(tmp_path).returncode == 0
    (tmp_path / file).write_text(planted + "\n")
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    found = look_for_secrets(tmp_path)
    assert found.returncode != 0
    assert f"{file}:1" in found.stdout
