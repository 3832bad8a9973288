"""Python code run in a process of its own, with settings of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.stack import ROOT

DRAW = """
import json, time
import django; django.setup()
from django.test import Client
def ask(peer, forwarded=None):
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    path, kind = "/api/drawing/", "application/json"
    return Client(HTTP_HOST="localhost", REMOTE_ADDR=peer).post(path, "{}", content_type=kind, **headers)
"""


def run_python(code: str, folder: Path, **environment: str) -> Any:
    """Return what `code` prints last, read as JSON. The code may call `ask(peer, forwarded)` to send a drawing."""
    everything = os.environ | {"DATA_DIR": str(folder), **environment}
    command = [sys.executable, "-c", DRAW + code]
    ran = subprocess.run(command, cwd=ROOT, env=everything, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])
