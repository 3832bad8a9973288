"""What a run trained on besides its parameters and libraries: the code, the locked packages, the processor."""

import hashlib
import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from training.learner.child import TENSORFLOW_ENVIRONMENT
from training.learner.config import count_cores

LOCK_FILE = "requirements.lock"
FLAGS = ("TF_ENABLE_", "TF_NUM_", "TF_XLA_", "XLA_", "OMP_", "KMP_")  # how the names of TensorFlow's variables begin
GIT_SECONDS = 5


@lru_cache(maxsize=1)
def describe_environment() -> dict[str, str]:
    """Return commit, SHA-256 of the lock file, processor, cores, and TensorFlow's flags, as far as known."""
    flags = {name: value for name, value in os.environ.items() if name.startswith(FLAGS)} | TENSORFLOW_ENVIRONMENT
    known = {
        "commit": commit_of(settings.BASE_DIR),
        "lock_sha256": sha256_of(settings.BASE_DIR / LOCK_FILE),
        "processor": processor(),
        "cores": str(count_cores()),
        "tensorflow_flags": " ".join(f"{name}={value}" for name, value in sorted(flags.items())),
    }
    return {name: value for name, value in known.items() if value}


def commit_of(folder: Path) -> str:
    """Return the setting COMMIT, else git's commit with `-dirty` if files differ from it; empty without either."""
    if settings.COMMIT or not (folder / ".git").exists():
        return str(settings.COMMIT)
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def processor() -> str:
    """Return the processor's model, e.g. "AMD EPYC 9B45"."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
