"""What large pictures needed goes back to the system when they are done.

glibc keeps freed memory for each thread, in pieces that fit nothing later: 100 MB more after a few thousand pictures
of every size. One arena for all threads, and whatever is larger than 8 MB by itself, keep a process level, at no cost
that could be measured. Another C library is left as it is.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
OPTIONS = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: 8 * 2**20, M_TRIM_THRESHOLD: 16 * 2**20}


def give_memory_back() -> None:
    """To be called before the process has threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, value in OPTIONS.items():
            mallopt(option, value)
