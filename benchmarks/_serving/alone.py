"""The work alone, without HTTP: ``python -m benchmarks._serving.alone KIND SECONDS`` prints CPU ms each."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks._serving import drawings
from benchmarks._serving.kinds import KINDS
from benchmarks._serving.processes import ROOT, on


def milliseconds(kind: str, seconds: float, where: set[int]) -> float:
    """CPU milliseconds of one drawing, in a process of its own on these cores."""
    command = [sys.executable, "-m", "benchmarks._serving.alone", kind, str(seconds)]
    with on(where):
        return float(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> None:
    from benchmarks._serving.work import Reader

    reader, urls = Reader(), [KINDS[sys.argv[1]].drawings(first)[0] for first in drawings.DIGITS]
    for url in urls:
        reader.read(url)
    began, count = time.process_time(), 0
    while time.process_time() - began < float(sys.argv[2]):
        reader.read(urls[count % len(urls)])
        count += 1
    print(1000 * (time.process_time() - began) / count)


if __name__ == "__main__":
    main()
