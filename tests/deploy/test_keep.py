"""deploy/keep, which keeps a process alive."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.stack import ROOT, eventually

KEEP = str(ROOT / "deploy" / "keep")


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("status", [0, 3, 255])
def test_keep_ends_with_the_status_of_a_command_that_ends(status):
    assert subprocess.run([KEEP, "sh", "-c", f"exit {status}"], timeout=10).returncode == status
    usage = subprocess.run([KEEP], capture_output=True, text=True)
    assert (usage.returncode, "usage" in usage.stderr) == (64, True)


@pytest.mark.parametrize("whole_group", [True, False])
def test_keep_starts_a_killed_command_again_and_lets_it_finish_its_shutdown(tmp_path, whole_group):
    """Told alone, it passes the signal on."""
    log, pids = tmp_path / "log", tmp_path / "pids"
    work = f"trap 'sleep 0.3; echo done >> {log}; exit 7' TERM; echo $$ >> {pids}; while :; do sleep 0.1; done"
    kept = subprocess.Popen([KEEP, "sh", "-c", work], stderr=subprocess.PIPE, text=True, start_new_session=True)
    if not whole_group:
        eventually(lambda: len(lines_of(pids)) == 1, 10)
        os.kill(int(lines_of(pids)[0]), signal.SIGKILL)
    eventually(lambda: len(lines_of(pids)) == (1 if whole_group else 2), 10)
    (os.killpg if whole_group else os.kill)(kept.pid, signal.SIGTERM)
    _, said = kept.communicate(timeout=30)
    assert kept.returncode == 0
    assert lines_of(log) == ["done"]
    assert ("killed by signal 9" in said) is not whole_group
    with pytest.raises(ProcessLookupError):
        os.kill(int(lines_of(pids)[-1]), 0)


def test_keep_starts_what_failed_again_only_if_it_had_stood_for_a_while(tmp_path):
    """A clock that goes on by 20 seconds at each look makes every life long enough."""
    runs, clock = tmp_path / "runs", tmp_path / "date"
    command = [KEEP, "--failed-too", "sh", "-c", f"echo run >> {runs}; [ $(wc -l < {runs}) -ge 3 ]"]
    assert subprocess.run(command, timeout=10).returncode == 1, "a wrong setting does not loop"
    clock.write_text(f"#!/bin/sh\necho 20 >> {clock}.seen; echo $(($(wc -l < {clock}.seen) * 20))\n")
    clock.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert subprocess.run(command, timeout=20, env={**os.environ, **path}).returncode == 0
    assert lines_of(runs) == ["run"] * 3
