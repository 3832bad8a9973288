"""What is installed: exact versions with checksums, none with a vulnerability that was known; the SBOM; no secrets."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
PYTHONS = ("3.10", "3.11", "3.12")

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


@dataclass(frozen=True)
class Pin:
    """One version of one package, with the checksums of its files, and where it is installed."""

    name: str
    version: Version
    hashes: tuple[str, ...]
    marker: Marker | None

    def is_installed(self, python: str | None = None) -> bool:
        """Return whether this machine installs it, with this Python or another version."""
        version = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
        return self.marker is None or self.marker.evaluate({**version})


def parse(line: str) -> Pin:
    text, *hashes = line.partition("#")[0].split(" --hash=")
    requirement = Requirement(text.strip())
    exact = re.fullmatch(r"==([^=*]+)", str(requirement.specifier))
    assert exact, f"not pinned: {line[:80]}"
    name = canonicalize_name(requirement.name)
    return Pin(name, Version(exact[1]), tuple(each.strip() for each in hashes), requirement.marker)


def pins(lock: Path) -> list[Pin]:
    return [parse(line) for line in lines(lock.name)]


def installed_by(python: str, found: list[Pin]) -> list[Pin]:
    return [one for one in found if one.is_installed(python)]


def lines(name: str) -> list[str]:
    """The lines of a requirements file that name a package."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if re.match(r"\w", line)]


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
        wanted = parse(line)
        if wanted.is_installed(python):
            assert locked.get(wanted.name) == wanted.version, f"{wanted.name}: run make lock"


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
    tenth = {**document, "components": document["components"][::10]}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(tenth)) is None
    found: dict[str, Any] = {canonicalize_name(one["name"]): one for one in document["components"]}
    wanted = [one for one in pins(RUNTIME) if one.is_installed()]
    assert {one.name: found[one.name]["version"] for one in wanted} == {one.name: str(one.version) for one in wanted}
    assert all(found[one.name]["purl"].startswith("pkg:pypi/") for one in wanted)
    unlicensed = {one.name for one in wanted if not found[one.name].get("licenses")}
    assert len(unlicensed) <= 5, f"no licence in their metadata: {unlicensed}"


# --- make secrets ---


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
    assert make("secrets", cwd=tmp_path).returncode == 0
    (tmp_path / file).write_text(planted + "\n")
    subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
    found = make("secrets", cwd=tmp_path)
    assert found.returncode != 0
    assert f"{file}:1" in found.stdout
