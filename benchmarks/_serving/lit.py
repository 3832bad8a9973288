"""LitServe doing the work: ``python -m benchmarks._serving.lit PORT [BATCH]``."""

from __future__ import annotations

import sys
from typing import Any

import litserve

from benchmarks._serving.work import Reader


class Digits(litserve.LitAPI):
    """Reads one drawing at a time or, where `max_batch_size` says so, what has come in meanwhile."""

    def setup(self, device: str) -> None:
        self.reader = Reader()

    def decode_request(self, request):  # LitServe reads what a request is from the annotations here
        return request["drawing"]

    def predict(self, x: Any) -> Any:
        return self.reader.read(x) if isinstance(x, str) else self.reader.read_all(x)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    port, batch = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    waiting = {"batch_timeout": 0.005} if batch > 1 else {}
    api = Digits(max_batch_size=batch, api_path="/api/drawing/", **waiting)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="error")
