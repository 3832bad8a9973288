"""Write client.py, which is async_client.py without async: `python make_sync.py`. A test compares them."""

from pathlib import Path

import tokenize_rt
import unasync

HERE = Path(__file__).parent / "digits"
NAMES = {"AsyncDigits": "Digits", "asynchronous": "synchronous", "aclose": "close"}
NOTE = "# Made from async_client.py by make_sync.py.\n"


def without_async(source: str) -> str:
    """Return the source of the client without async."""
    rule = unasync.Rule("/", "/", additional_replacements=NAMES)
    made: str = tokenize_rt.tokens_to_src(rule._unasync_tokens(tokenize_rt.src_to_tokens(source)))
    return NOTE + made


if __name__ == "__main__":
    (HERE / "client.py").write_text(without_async((HERE / "async_client.py").read_text()))
