"""What `make run-scaled` says when it cannot start."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from digits_site.development.postgres_server import Cluster, owner
from digits_site.management.commands import up
from tests.support.scaled import MISSING, require_programs
from tests.support.stack import ROOT


def test_what_is_missing_is_named_and_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "nginx_program", lambda: None)
    monkeypatch.setattr(up, "programs", lambda: None)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(CommandError, match="apt-get install nginx-light postgresql"):
        call_command("up", "--scaled")


@pytest.mark.skipif(MISSING != [] or os.geteuid() != 0, reason="only root must change to another user")
def test_root_is_told_that_postgresql_may_not_enter_its_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(CommandError, match="DATA_DIR=/srv/digits make run-scaled"):
        Cluster(tmp_path / "postgres").make()


def test_a_path_that_is_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    require_programs()
    with pytest.raises(CommandError, match="shorter DATA_DIR"):
        Cluster(tmp_path / ("x" * 100))


@pytest.mark.skipif(MISSING != [] or os.geteuid() != 0, reason="only root must change to another user")
def test_the_user_of_postgresql_need_not_read_the_repository(tmp_path: Path) -> None:
    """Root's clone may lie in a folder that is closed to others; what starts PostgreSQL runs as somebody else."""
    command = Cluster(tmp_path / "postgres").command()
    assert [word for word in command if word.startswith(str(ROOT))] == []
    assert subprocess.run([*command[:5], "sh", "-c", "exit 3"], cwd="/", check=False, **owner()).returncode == 3
