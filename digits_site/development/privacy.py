"""Files that other accounts of this machine have no business with."""

from pathlib import Path


def keep_private(file: Path) -> None:
    """Make it if it is not there; only its owner may read it, and SQLite gives its side files the same rights."""
    file.touch(mode=0o600)
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
