"""One flood on one target: who sends what, what is counted, and what must hold of every answer."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.campaigns.fuzz import bodies, broken, described, pictures
from tests.campaigns.fuzz.frames import Talker
from tests.campaigns.fuzz.target import Target
from tests.support.drawings import draw, encode
from tests.support.openapi_document import Document
from tests.support.stack import eventually
from tests.support.wire import Answer, Connection, Request

SENDERS = 6  # clients at once; the server answers in four threads
SHARES = {"pictures": 0.58, "bodies": 0.32, "schema": 0.07, "broken": 0.03}  # of all requests
WARM_SHARE, WARM_REQUESTS = 0.75, 3000  # memory counts from then on, whichever comes first: a short flood warms late
TENTHS = 10
GROWTH_BYTES = 30 * 2**20
LONGEST_SECONDS = 10.0
ALLOWED_5XX = {"busy"}  # 503 with Retry-After: too many large pictures at once
MOST_VIOLATIONS = 50  # then it is no use to go on
SEVEN = Request("POST", "/api/drawing/", (("Content-Type", "image/png"),), encode(draw(7)))
Sent = Request | bytes


@dataclass
class Tally:
    """What came of it. A violation is its sentence and what was sent."""

    bodies: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    violations: list[tuple[str, Sent]] = field(default_factory=list)
    frames: int = 0
    closes: Counter[str] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    levels: list[int] = field(default_factory=list)  # of memory, at each tenth of the bodies
    lasted: float = 0.0

    def add(self, sent: Sent, answer: Answer, wrong: str) -> None:
        self.sources[sent.source if isinstance(sent, Request) else "broken"] += 1
        if isinstance(sent, Request):
            self.bodies += bool(sent.body)
            code = f" {code_of(answer)}" if answer.status >= 500 else ""
            self.statuses[f"{answer.status}{code}" if answer.status else "none"] += 1
            self.seconds.append(answer.seconds)
        else:
            self.statuses[f"broken {answer.status or 'hung up'}"] += 1
        if wrong:
            self.violations.append((wrong, sent))

    @property
    def over(self) -> bool:
        return len(self.violations) >= MOST_VIOLATIONS


def wrong_with(document: Document, request: Request, answer: Answer) -> str:
    """What an answer violates, empty when nothing; a broken request may get no answer, but no 5xx either."""
    if answer.status == 0:
        return f"no answer: {answer.body.decode(errors='replace')}"
    if answer.status >= 500 and code_of(answer) not in ALLOWED_5XX:
        return f"answered {answer.status}: {answer.body[:200]!r}"
    if answer.seconds > LONGEST_SECONDS:
        return f"answered after {answer.seconds:.1f} s"
    path = request.path.partition("?")[0]
    if not path.startswith("/api/") or 300 <= answer.status < 400:
        return ""
    if answer.status >= 400 and not code_of(answer):
        return f"answered {answer.status} without a code: {answer.body[:200]!r}"
    named = (document.path_of(path) or "", request.method) in document.operations()
    if answer.status >= 400 and not named:  # 405, or what is refused before the method is looked at: 403, 413
        return ""
    known = document.complaint(request.method, path, answer.status, answer.kind, answer.body)
    return f"not as documented: {known}" if known and document.path_of(path) else ""


def code_of(answer: Answer) -> str:
    """The code of an error in the API's form, empty for any other answer."""
    try:
        said: Any = json.loads(answer.body)
    except ValueError:
        return ""
    as_documented = answer.kind.startswith("application/json") and isinstance(said, dict)
    return str(said.get("code") or "") if as_documented else ""


def mixed(seed: int, document: Document) -> Iterator[Sent]:
    """Everything that is sent over HTTP, in one order for each seed."""
    rng = random.Random(seed)
    paths = sorted(path.replace("{id}", "1") for path, method in document.operations() if method == "POST")
    paths += ["/api/drawing/"] * len(paths) + ["/api/progress/", "/api/runs/", "/api/nothing/"]
    sources: dict[str, Iterator[Sent]] = {
        "pictures": pictures.requests(seed),
        "bodies": bodies.requests(seed, paths),
        "schema": described.requests(seed, document.content),
        "broken": broken.requests(seed),
    }
    while True:
        for name in rng.choices(sorted(SHARES), [SHARES[name] for name in sorted(SHARES)], k=100):
            yield next(sources[name])


class Flood:
    """`bodies` requests with a body by HTTP, and `frames` by WebSocket beside them."""

    def __init__(self, target: Target, seed: int, bodies: int, frames: int) -> None:
        self.target, self.seed, self.bodies, self.frames = target, seed, bodies, frames
        self.tally, self.lock = Tally(), threading.Lock()
        fetched = self.ask(Request("GET", "/api/schema/"))
        assert fetched.status == 200, fetched
        self.document = Document(fetched.body)
        self.source = mixed(seed, self.document)

    def exchange(self, connection: Connection, request: Request) -> Answer:
        return connection.exchange(request.encoded(self.target.port, self.target.headers), request.method)

    def ask(self, request: Request) -> Answer:
        with closing(Connection(self.target.port)) as connection:
            return self.exchange(connection, request)

    def run(self) -> Tally:
        began = time.monotonic()
        with ThreadPoolExecutor(SENDERS + 1) as pool:
            tasks = [pool.submit(self.talk), *(pool.submit(self.send) for _ in range(SENDERS))]
        for task in tasks:
            task.result()
        self.close(began)
        return self.tally

    def next(self) -> Sent | None:
        """What is sent next; None when enough bodies have been answered. Memory is measured on the way."""
        tally, warm = self.tally, min(int(self.bodies * WARM_SHARE), WARM_REQUESTS)
        with self.lock:
            if not tally.before and tally.bodies >= warm:
                tally.before = self.target.resident
            if tally.bodies * TENTHS >= self.bodies * (len(tally.levels) + 1):
                tally.levels.append(self.target.resident)
            return None if tally.bodies >= self.bodies or tally.over else next(self.source)

    def send(self) -> None:
        with closing(Connection(self.target.port)) as connection:
            while (sent := self.next()) is not None:
                if isinstance(sent, Request):
                    answer = self.exchange(connection, sent)
                    wrong = wrong_with(self.document, sent, answer)
                else:
                    answer = broken.exchange(self.target.port, sent)
                    wrong = f"answered {answer.status}" if 500 <= answer.status != 501 else ""
                with self.lock:
                    self.tally.add(sent, answer, wrong)

    def talk(self) -> None:
        talker = Talker(self.target.port, self.seed, dict(self.target.headers))
        while talker.sent < self.frames and not self.tally.over and not talker.wrongs[MOST_VIOLATIONS:]:
            talker.talk()
        self.tally.frames, self.tally.closes = talker.sent, talker.ends
        self.tally.violations += talker.wrongs

    def close(self, began: float) -> None:
        """The server is as it was: it reads a seven, has forgotten its clients, and no larger; its log is clean."""
        tally, target = self.tally, self.target
        answer = self.ask(SEVEN)
        if answer.status != 200 or json.loads(answer.body)["prediction"] != 7:
            tally.violations.append((f"an honest seven was answered {answer.status} {answer.body[:200]!r}", SEVEN))
        with suppress(AssertionError):
            eventually(lambda: not target.connections(), 10)
        if held := target.connections():
            tally.violations.append((f"{held} clients are held that are gone", b""))
        tally.after, tally.lasted = target.resident, time.monotonic() - began
        if tally.after - tally.before > GROWTH_BYTES:
            tally.violations.append((f"memory grew by {(tally.after - tally.before) / 2**20:.1f} MB", b""))
        log = target.log("web")
        if "Traceback" in log:
            tally.violations.append(("a traceback in the log", log[log.index("Traceback") :][:4000].encode()))
