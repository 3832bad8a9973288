"""The product that is fuzzed: Redis and the web process; no worker, so that nothing trains."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import redis

from tests.support.stack import Stack

PASSWORD = "a-password-of-the-fuzz-run"
PUBLIC = {
    "DIGITS_MODE": "public",
    "SECRET_KEY": "x" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "TRUSTED_ORIGINS": "https://digits.example",
    **dict.fromkeys(("PREDICT_RATE", "CORRECTION_RATE"), "10000000/min"),  # else nearly every answer would be 429
    "LOG_LEVEL": "WARNING",
}


class Target(Stack):
    """`headers` go with every request: a public service stands behind a proxy that speaks HTTPS."""

    def __init__(self, folder: Path, *, public: bool = False) -> None:
        super().__init__(folder, **(PUBLIC if public else {}))
        self.public = public
        self.name = "public" if public else "local"
        self.headers = (("X-Forwarded-Proto", "https"),) if public else ()
        if public:
            self.environment["REDIS_URL"] = f"redis://:{PASSWORD}@127.0.0.1:{self.redis_port}/0"

    def start(self, worker: bool = False) -> None:
        self.start_redis()
        if self.public:
            with redis.Redis(port=self.redis_port) as client:
                client.config_set("requirepass", PASSWORD)
        self.prepare()
        self.start_web()

    @property
    def resident(self) -> int:
        """Memory of the web process in bytes."""
        return int(psutil.Process(self.processes["web"].pid).memory_info().rss)

    def connections(self) -> int:
        """How many clients the web process still has."""
        held = psutil.Process(self.processes["web"].pid).net_connections("tcp")
        return sum(1 for one in held if one.status == "ESTABLISHED" and one.laddr.port == self.port)


@contextmanager
def target(folder: Path, *, public: bool = False) -> Iterator[Target]:
    with closing(Target(folder, public=public)) as found:
        found.start()
        yield found
