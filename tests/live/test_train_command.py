"""manage.py train: one run in the foreground."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.stack import NUMPY_LEARNER, PATIENCE_SECONDS, ROOT, eventually, manage


def test_ctrl_c_stops_the_run_and_breaks_nothing(tmp_path: Path) -> None:
    """Pressed again and again, wherever the command happens to be: between statements of the database too."""
    environment = os.environ | {"DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1", "LEARNER": NUMPY_LEARNER}
    environment.pop("DATABASE_URL", None)
    manage(environment, "migrate", "--verbosity", "0")
    command = [sys.executable, "manage.py", "train", "--samples", "2000", "--epochs", "50"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        lines: list[str] = []
        reading = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")))
        reading.start()
        eventually(lambda: "claimed" in "".join(lines), PATIENCE_SECONDS, "the start")
        while process.poll() is None and "run 1: interrupted" not in "".join(lines):
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        process.wait(30)
        reading.join()
    said = "".join(lines)
    assert "Traceback" not in said, said
    assert process.returncode == 1
    assert "CommandError: run 1 ended interrupted" in said
