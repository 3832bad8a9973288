"""manage.py train: one run in the foreground."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually


def test_ctrl_c_stops_the_run_and_breaks_nothing(tmp_path: Path) -> None:
    """Pressed again and again, wherever the command happens to be: between statements of the database too."""
    with closing(Stack(tmp_path)) as stack:
        stack.start_redis()
        stack.prepare()
        command = [sys.executable, "-u", "manage.py", "train", "--samples", "2000", "--epochs", "50"]
        command += ["--validation-samples", "500"]
        process = subprocess.Popen(command, cwd=ROOT, env=stack.environment, stderr=subprocess.PIPE, text=True)
        lines: list[str] = []
        reading = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")))
        reading.start()
        eventually(lambda: "claimed" in "".join(lines), PATIENCE_SECONDS, "the start")
        while process.poll() is None and "run 2: interrupted" not in "".join(lines):
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
        process.wait(30)
        reading.join()
    said = "".join(lines)
    assert "Traceback" not in said, said
    assert process.returncode == 1
    assert "CommandError: Run 2 stopped." in said
