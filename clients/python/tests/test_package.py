"""The README's example, and that both clients are one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import SEVEN

HERE = Path(__file__).parents[1]


@pytest.mark.training
def test_the_readmes_example(url: str, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    (tmp_path / "seven.png").write_bytes(SEVEN.read_bytes())
    code = example.replace("http://127.0.0.1:8000", url)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("7 ")
    assert [line.split()[0] for line in lines[-3:]] == ["1", "2", "completed"]


def test_client_is_async_client_without_async() -> None:
    pytest.importorskip("unasync", reason="unasync makes client.py")
    sys.path.insert(0, str(HERE))
    from make_sync import without_async

    package = HERE / "digits"
    assert (package / "client.py").read_text() == without_async((package / "async_client.py").read_text())
