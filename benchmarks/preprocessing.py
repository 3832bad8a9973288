"""How long a drawing takes to be decoded and prepared: ``python -m benchmarks.preprocessing``."""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from recognition.imaging import EncodedImage, preprocess
from tests.support.drawings import draw, encode


def processor() -> str:
    """The processor's name, as well as the platform can tell it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()


def times(call: Callable[[], object], seconds: float) -> tuple[float, float]:
    """(median, 95th percentile) of the call in milliseconds, called for about `seconds`."""
    call()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < 20 or time.perf_counter() < until:
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1e3)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def photo(side: int) -> Image.Image:
    """A drawing as a camera sees it: uneven light and noise."""
    levels = np.asarray(draw(5, side, ink=40, paper=225)) * np.linspace(1, 0.6, side)[:, None]
    levels += np.random.default_rng(0).normal(0, 5, levels.shape)
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")


def decoded(data: bytes) -> Image.Image:
    return EncodedImage(data).decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    seconds = parser.parse_args().seconds
    pictures = {
        "280x280 PNG, RGBA canvas": encode(draw(5).convert("RGBA")),
        "280x280 PNG, transparent": encode(draw(5, ink=(0, 0, 0, 255), paper=(0, 0, 0, 0), mode="RGBA")),
        "280x280 PNG, grey": encode(draw(5)),
        "280x280 PNG, grey, thin pen": encode(draw(5, brush=8)),
        "28x28 PNG, grey": encode(draw(5, 28)),
        "1000x1000 JPEG, photo": encode(photo(1000), "JPEG", quality=85),
        "4096x4096 PNG, grey": encode(draw(5, 4096)),
        "4096x4096 PNG, RGBA": encode(draw(5, 4096).convert("RGBA")),
    }
    print(f"{platform.platform()}, {processor()}")
    print(f"Python {platform.python_version()}, Pillow {PIL.__version__}, NumPy {np.__version__}; milliseconds\n")
    print(f"{'picture':<30}{'decode':>10}{'p95':>9}{'prepare':>10}{'p95':>9}")
    for name, data in pictures.items():
        image = decoded(data)
        decode = times(partial(decoded, data), seconds)
        ready = times(partial(preprocess, image), seconds)
        print(f"{name:<30}{decode[0]:>10.2f}{decode[1]:>9.2f}{ready[0]:>10.2f}{ready[1]:>9.2f}")


if __name__ == "__main__":
    main()
