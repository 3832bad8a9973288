"""The product as several processes, each of which can be killed, put to sleep and started again."""

import signal
import subprocess
import threading
from pathlib import Path

import psutil
import redis

from tests.campaigns.storm.history import History
from tests.support.ports import free_port, wait_for_port
from tests.support.stack import Stack

WEBS, WORKERS = ("web-0", "web-1"), ("worker-0", "worker-1")


class Cluster(Stack):
    """Two web processes, two workers and Redis over one data folder. The history learns of every change of a life."""

    def __init__(self, folder: Path, history: History, settings: str) -> None:
        super().__init__(folder, DJANGO_SETTINGS_MODULE=settings)
        self.history = history
        self.ports = {"web-0": self.port, "web-1": free_port()}
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in self.ports.items()}
        self.lock = threading.RLock()  # starting, stopping and signalling, one at a time

    def start(self, worker: bool = True) -> None:
        self.start_one("redis")
        self.prepare()
        for name in (*WEBS, *WORKERS):
            self.start_one(name)

    def start_one(self, name: str) -> None:
        """Start it and wait until it listens; a worker is up when it has been launched."""
        with self.lock:
            if name == "redis":
                self.start_redis()
            elif name in WEBS:
                self.launch_web(name, self.ports[name])
            else:
                words = f"worker -n {name}@drill --pool threads --concurrency 1 --without-gossip --without-mingle"
                self.launch(name, "celery", "-A", "digits_site", *words.split(), "--without-heartbeat")
        if name in WEBS:
            wait_for_port(self.ports[name])
        self.history.add("life", process=name, state="up")

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to one process; False when it is not there."""
        with self.lock:
            process = self.processes[name]
            if process.poll() is not None:
                return False
            process.send_signal(number)
            state = {signal.SIGSTOP: "paused", signal.SIGCONT: "up"}.get(number, "down")
            self.history.add("life", process=name, state=state)
            if state == "down":
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            return True

    def children(self, worker: str) -> list[psutil.Process]:
        """The training process of a worker, if it has one."""
        return [*filter(None, [self.find_child(worker, trains=True)])]

    def flush_redis(self) -> bool:
        try:
            with redis.Redis(port=self.redis_port, socket_timeout=1) as client:
                return bool(client.flushall())
        except redis.RedisError:
            return False
