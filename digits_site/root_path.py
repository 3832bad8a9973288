"""Where the application stands is ours to say, not the client's.

daphne believes the header Daphne-Root-Path of whoever sends it: `/x/admin/` with `/x` in it would be `/admin/`, past
every rule that a proxy has for paths, and a value that is not ASCII is a 500.
"""

from __future__ import annotations

import sys
from typing import Any


def ignore_clients_root_path() -> None:
    """Take the header out of every request, handshakes included, if daphne is the server that imports us."""
    if "daphne.server" not in sys.modules:
        return
    from daphne.http_protocol import WebRequest

    process = WebRequest.process

    def without_root_path(request: Any) -> Any:
        request.requestHeaders.removeHeader(b"daphne-root-path")
        return process(request)

    WebRequest.process = without_root_path
