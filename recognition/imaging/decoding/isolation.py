"""Decode a picture in a process of its own, with limits on time and memory.

libheif, libavif and libtiff allocate memory for sizes that stand deep in the data, whatever the header says. A crash in
one of them would end the web process with all its requests.
"""

import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

from recognition.errors import CorruptImage, DecodingBusy, ImageTooLarge
from recognition.imaging.decoding import frames

SCRIPT = str(Path(frames.__file__).resolve())
TIMEOUT_SECONDS = 10.0  # of the clock: long after MAX_SECONDS of a core, unless the machine is busy
# One arena: each reserves 64 MB of addresses, which are limited. No settings: an exploited decoder finds no secrets.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C"}


def decode(data: bytes, image_format: str, frame_count: int, pixels: int) -> Image.Image:
    """Run `frames.decode` in a process of its own, and return the image upright and reduced.

    Raises CorruptImage, ImageTooLarge if it takes too long, and DecodingBusy if the machine is too busy for it.
    """
    command = [sys.executable, "-I", SCRIPT, image_format, str(frame_count), str(pixels)]
    try:
        process = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise DecodingBusy from error
    if process.returncode == -signal.SIGXCPU:
        raise ImageTooLarge("The picture takes too long to decode. Send it smaller, or as a JPEG.")
    if process.returncode:
        raise CorruptImage
    head, _, pixels_of = process.stdout.partition(b"\n")
    mode, width, height = head.decode().split()
    return Image.frombytes(mode, (int(width), int(height)), pixels_of)
