"""Return the memory of large pictures to the system.

glibc keeps freed memory per thread, in pieces that fit no later request. Another C library is left alone.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
OPTIONS = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: 8 * 2**20, M_TRIM_THRESHOLD: 16 * 2**20}


def configure_malloc() -> None:
    """Use one arena for all threads, and allocate blocks over 8 MB alone. Call it before the process has threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in OPTIONS.items():
            mallopt(option, value)
