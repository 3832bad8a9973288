"""python -m tests.support.shell: run code inside the product, in one process for many questions.

Each line on the standard input is Python code as a JSON string. Its answer is a line: what the code prints, as JSON.
"""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # tests.support.stack would set up an environment of the tests' own


class Shell:
    """A process in the environment of a stack. To start one takes two seconds of the processor, to ask it none."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.support.shell"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, code: str) -> str:
        """Return what the code prints. An exception ends the process, with a traceback on the standard error."""
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"this failed: {code}"
        printed: str = json.loads(answer)
        return printed

    def close(self) -> None:
        self._process.communicate(timeout=20)


def answer_lines() -> None:
    from django.db import connections

    for line in sys.stdin:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(json.loads(line), {})
        connections.close_all()  # a test may end the database, or drop it
        print(json.dumps(printed.getvalue()), flush=True)


if __name__ == "__main__":
    import django

    django.setup()
    answer_lines()
