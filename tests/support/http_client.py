"""Django's test client over a socket, so that the same tests ask a running server."""

from typing import Any

import httpx


class RealClient:
    """Django's test client, as far as these tests use it, over a socket."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def generic(
        self, method: str, path: str, data: Any = b"", content_type: str = "application/octet-stream", **more: str
    ) -> httpx.Response:
        headers = {name.removeprefix("HTTP_").replace("_", "-"): value.encode() for name, value in more.items()}
        if content_type:
            headers["Content-Type"] = content_type.encode()
        body = {"json" if isinstance(data, dict) else "content": data}
        return self.http.request(method, path, headers=headers, **body)

    def get(self, path: str, **more: str) -> httpx.Response:
        return self.generic("GET", path, content_type="", **more)

    def post(self, path: str, data: Any = b"", **more: str) -> httpx.Response:
        return self.generic("POST", path, data, **more)
