"""Those who ask for runs and stops, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any

import httpx

STOP_SHARE = 0.02  # of the requests are stops
PAUSE_SECONDS = (0.3, 2.0)


def ask_on(urls: dict[str, str], seed: int, over: Event, told: Queue[dict[str, Any]]) -> None:
    """Ask until it is over; every answer goes into the queue with the moment it was asked at."""
    rng = random.Random(seed)
    while not over.wait(rng.uniform(*PAUSE_SECONDS)):
        web = rng.choice(sorted(urls))
        what = "stop_training" if rng.random() < STOP_SHARE else "retrain_model"
        parameters = {
            "samples": rng.choice([500, 2000]),
            "epochs": rng.randint(2, 20),
            "batch_size": 16,
            "activate": rng.random() < 0.5,
            "seed": rng.randrange(1000),
        }
        asked = time.monotonic()
        record: dict[str, Any] = {"what": what, "web": web, "asked": asked, "status": 0, "run": None, "code": ""}
        try:
            body = parameters if what == "retrain_model" else {}
            answer = httpx.post(f"{urls[web]}/api/{what}/", json=body, timeout=20)
            record["status"] = answer.status_code
            record |= {k: v for k, v in answer.json().items() if k in {"run", "code"}}
        except httpx.HTTPError as error:
            record["code"] = type(error).__name__
        told.put(record | {"answered": time.monotonic()})


class Askers:
    """Several processes that ask at once, of every web process."""

    def __init__(self, urls: dict[str, str], seed: int, count: int = 3) -> None:
        context = multiprocessing.get_context("spawn")
        self.over, self.told = context.Event(), context.Queue()
        self.processes = [
            context.Process(target=ask_on, args=(urls, seed * 100 + number, self.over, self.told), daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        for process in self.processes:
            process.start()

    def stop(self) -> list[dict[str, Any]]:
        """What they were told, all of it."""
        self.over.set()
        answers = []
        while any(process.is_alive() for process in self.processes) or not self.told.empty():
            if self.told.empty():
                time.sleep(0.1)
            else:
                answers.append(self.told.get())
        return answers
