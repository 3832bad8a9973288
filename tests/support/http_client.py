"""Django's test client over a socket, so that the same tests ask a running server."""

from typing import Any

import httpx


class Answer:
    """An httpx answer, read as Django's test client's are."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code, self.content, self.json = answer.status_code, answer.content, answer.json
        self.headers = answer.headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


class RealClient:
    """Django's test client, as far as these tests use it, over a socket."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def generic(
        self, method: str, path: str, data: Any = b"", content_type: str = "application/octet-stream", **more: str
    ) -> Answer:
        headers = {name.removeprefix("HTTP_").replace("_", "-"): value.encode() for name, value in more.items()}
        if content_type:
            headers["Content-Type"] = content_type.encode()
        if isinstance(data, dict):
            return Answer(self.http.request(method, path, json=data, headers=headers))
        return Answer(self.http.request(method, path, content=data, headers=headers))

    def get(self, path: str, **more: str) -> Answer:
        return self.generic("GET", path, content_type="", **more)

    def post(self, path: str, data: Any = b"", **more: str) -> Answer:
        return self.generic("POST", path, data, **more)

    def put(self, path: str) -> Answer:
        return self.generic("PUT", path)

    def patch(self, path: str) -> Answer:
        return self.generic("PATCH", path)

    def delete(self, path: str) -> Answer:
        return self.generic("DELETE", path)
