"""Podman with a storage and settings of its own, and the images that Dockerfile and compose.yaml begin with."""

import fcntl
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tests.support.stack import BIN, ROOT

HERE = Path(__file__).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
# Kept between runs: the stand-ins and the layers of the product's image, which podman knows by what they were made of.
STORAGE = Path("/var/tmp/digits-containers")
RUN = Path("/run/digits-containers")  # what podman forgets when the machine starts anew
DEBIAN = "localhost/debian:bookworm"
PRODUCT = "localhost/digits:latest"
PROGRAMS = ("podman", "runc", "iptables", "debootstrap", "catatonit")
SETTINGS = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
[engine]
runtime = "runc"
tmp_dir = "{run}/libpod"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "{folder}/networks"
"""


def missing() -> str:
    """What keeps containers from running here; empty where they can."""
    if os.geteuid() != 0:
        return "this is not root"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    return f"there is no {' and no '.join(lacking)}" if lacking else ""


class Engine:
    """One podman; a second one waits until the first is closed."""

    def __init__(self) -> None:
        STORAGE.mkdir(mode=0o700, exist_ok=True)
        self.lock = (STORAGE / "lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.folder = Path(tempfile.mkdtemp(prefix="digits-containers-"))
        (self.folder / "networks").mkdir()
        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
        (self.folder / "containers.conf").write_text(SETTINGS.format(files=files, folder=self.folder, run=RUN))
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "{driver()}"\ngraphroot = "{STORAGE}/storage"\nrunroot = "{RUN}/storage"\n'
        )
        (self.folder / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')
        self.environment = os.environ | {
            "PATH": f"{HERE / 'programs'}:{BIN}:{os.environ['PATH']}:/usr/sbin:/sbin",
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(self.folder / "registries.conf"),
            "DISABLE_HC_SYSTEMD": "true",
            "PODMAN": shutil.which("podman") or "podman",
        }
        self.sweep()

    def podman(self, *words: str, check: bool = True, **options: Any) -> str:
        """What podman prints. Raises CalledProcessError with its complaint."""
        return self.run([self.environment["PODMAN"], *words], check=check, **options)

    def run(self, command: list[str], check: bool = True, **options: Any) -> str:
        settings: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "env": self.environment, "cwd": ROOT}
        with tempfile.TemporaryFile("w+") as complaints:
            done = subprocess.run(command, check=False, **{"stderr": complaints} | settings | options)
            if check and done.returncode:
                complaints.seek(0)
                raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{complaints.read()[-6000:]}")
        return str(done.stdout)

    def sweep(self) -> None:
        """Remove all containers, networks, volumes and images without a name."""
        self.podman("rm", "--all", "--force", "--time", "0")
        self.podman("volume", "prune", "--force")
        self.podman("network", "prune", "--force")
        self.podman("image", "prune", "--force")

    def refusal(self) -> str:
        """Why this machine runs no container although podman is here, as in a container without rights; else empty."""
        try:
            self.make_debian()
            self.podman("run", "--rm", "--network=podman", DEBIAN, "true")
        except AssertionError as error:
            return f"podman cannot run one here: {str(error)[-500:]}"
        return ""

    def make_debian(self) -> None:
        if not self.podman("images", "--quiet", DEBIAN):
            with tempfile.TemporaryDirectory(prefix="digits-debian-") as folder:
                suite, root = DEBIAN.rpartition(":")[2], f"{folder}/root"
                self.run(["debootstrap", "--variant=minbase", suite, root], stdout=subprocess.DEVNULL)
                self.run(["tar", "-C", root, "-cf", f"{folder}/debian.tar", "."])
                self.podman("import", f"{folder}/debian.tar", DEBIAN)

    def make_base_images(self) -> None:
        """Make what Dockerfile and compose.yaml name and nobody here could pull. What is unchanged costs a second."""
        for image in sorted(base_images()):
            stage, name = image.partition(":")[0], f"docker.io/library/{image}"
            self.podman("build", "--network=host", f"--target={stage}", f"--tag={name}", str(HERE / "images"))

    def build_options(self) -> list[str]:
        """So that pip in a build finds packages where pip finds them here."""
        return ["--network=host", *(f"--volume={file}:{inside}:ro" for file, inside in self.pip_files().items())]

    def pip_files(self) -> dict[Path, str]:
        pip = self.folder / "pip.conf"
        lines = self.run([sys.executable, "-m", "pip", "config", "list"])
        found = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", lines, re.M))
        pip.write_text("\n".join(["[global]", *(f"{name} = {value}" for name, value in found.items())]) + "\n")
        words = " ".join(found.values()).split()
        named = [Path(word.removeprefix("file://").removesuffix("/simple")) for word in words]
        return {pip: "/etc/pip.conf"} | {path: str(path) for path in named if path.is_absolute() and path.exists()}

    def size(self, image: str) -> int:
        """In MB."""
        return int(self.podman("image", "inspect", "--format", "{{.Size}}", image)) // 1_000_000

    def close(self) -> None:
        """Leave the named images alone."""
        self.sweep()
        with suppress(AssertionError):  # what was mounted for all containers together
            self.run(["umount", *map(str, (STORAGE / "storage").glob("overlay"))])
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


def base_images() -> set[str]:
    """The images that are pulled, not built."""
    begun = re.findall(r"^FROM (\S+:\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    return {*begun, *(service["image"] for service in SERVICES.values() if "build" not in service)}


def driver() -> str:
    """overlay, or vfs where the disk is an overlay itself."""
    found = subprocess.run(["stat", "-f", "-c", "%T", STORAGE], capture_output=True, text=True, check=True).stdout
    return "vfs" if found.strip() == "overlayfs" else "overlay"
