"""Decode in a process of its own, for formats whose decoders are large, native and bounded by no header.

libheif, libavif and libtiff believe sizes deep in the data, beside the header's, and a crash would end the web
process with everybody's requests. The process has bounds of time and memory, no settings and no open files.
"""

import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

from recognition.errors import CorruptImage, DecodingBusy, ImageTooLarge
from recognition.imaging.decoding import frames

SCRIPT = str(Path(frames.__file__).resolve())
TIMEOUT_SECONDS = 5.0  # of the clock, on a machine that is busy
# With one arena, threads of a decoder reserve no addresses for others. The rest would only be an attacker's to read.
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "LC_ALL": "C"}


def decode(data: bytes, image_format: str, frame_count: int, pixels: int) -> Image.Image:
    """Do as `frames.decode` in a process of its own, and return the image upright and reduced.

    Raises CorruptImage, ImageTooLarge if it takes too long, and DecodingBusy if the system starts no more processes.
    """
    command = [sys.executable, "-I", SCRIPT, image_format, str(frame_count), str(pixels)]
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ImageTooLarge("The picture takes too long to decode. Send it smaller, or as a JPEG.") from error
    except OSError as error:
        raise DecodingBusy from error
    if done.returncode == -signal.SIGXCPU:
        raise ImageTooLarge("The picture takes too long to decode. Send it smaller, or as a JPEG.")
    if done.returncode:
        raise CorruptImage
    head, _, pixels_of = done.stdout.partition(b"\n")
    mode, width, height = head.decode().split()
    return Image.frombytes(mode, (int(width), int(height)), pixels_of)
