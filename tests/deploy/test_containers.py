"""`make containers`: compose.yaml as its first lines and the documents say, run by podman.

The tests share one deployment and are in the order of its life: start, first account, restarts in mid-run, upgrade,
backup and restore.
"""

import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.containers.engine import PRODUCT, SERVICES, Engine, base_images, missing
from tests.support.containers.site import DRAWING, LASTING, PROJECT, ContainerSite, SocketViewer, StreamViewer
from tests.support.stack import ROOT, eventually

pytestmark = pytest.mark.containers
NAME, PASSWORD = "first", "a long enough password"
EPOCHS, EPOCH_SECONDS = 30, 1.2  # long enough for two restarts, on a fast machine too
RUN: dict[str, Any] = {"preset": "fast", "samples": 2000, "epochs": EPOCHS, "seed": 1}
NEXT_VERSION = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("training", "{newest}")]
    operations = [migrations.RunSQL("CREATE TABLE next_version (id integer)", "DROP TABLE next_version")]
"""
Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a figure although pytest captures what tests print."""

    def print_figure(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", flush=True)

    return print_figure


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[ContainerSite]:
    engine = None if missing() else Engine()
    if reason := engine.refusal() if engine else missing():
        warnings.warn(f"THE CONTAINERS ARE NOT TESTED: {reason}", stacklevel=1)
        if engine:
            engine.close()
        pytest.skip(reason)
    assert engine
    with closing(ContainerSite(engine)) as site:
        site.engine.make_base_images()
        yield site
        if request.session.testsfailed:
            for service in LASTING:
                print(site.logs(service))


def documented(page: str, *words: str) -> str:
    """The block of shell commands in a document that holds these words."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.S)
    [block] = [block for block in blocks if all(word in block for word in words)]
    return block


def started(site: ContainerSite) -> float:
    """Seconds until a drawing is answered through TLS."""
    began = time.monotonic()
    eventually(site.answers, 120, "an answer through nginx")
    assert site.drawn() == 200
    return time.monotonic() - began


def test_it_starts_as_compose_says(site: ContainerSite, say: Say) -> None:
    begin, account = re.findall(r"^#   (docker compose .*)$", (ROOT / "compose.yaml").read_text(), re.M)
    began = time.monotonic()
    site.compose("build web")  # podman-compose builds the image of several services as often, all at once
    say(f"built in {time.monotonic() - began:.0f} s")
    for image in [PRODUCT, *sorted(base_images())]:
        say(f"{site.engine.size(image):5} MB  {image}")
    began = time.monotonic()
    site.sh(begin)
    started(site)
    say(f"first answer through TLS {time.monotonic() - began:.0f} s after `up` (the image was built)")
    assert site.inspect("migrate", ".State.ExitCode") == "0"
    for service in LASTING:
        eventually(lambda name=service: site.healthy(name), 60, f"a healthy {service}")
    assert account == "docker compose exec web python manage.py createsuperuser"
    account = account.replace("exec", f"exec -T -e DJANGO_SUPERUSER_PASSWORD='{PASSWORD}'")
    site.sh(f"{account} --noinput --username {NAME} --email ''")


def test_visitors_are_led_to_https_and_the_first_account_signs_in(site: ContainerSite) -> None:
    answer = httpx.get(f"{site.plain_url}/runs/")
    assert (answer.status_code, answer.headers["location"]) == (301, "https://localhost/runs/")
    with httpx.Client(base_url=site.url, verify=site.trust, follow_redirects=True, timeout=30) as http:
        page = http.get("/admin/")
        form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": http.cookies["__Host-csrftoken"]}
        signed_in = http.post(page.url, data=form, headers={"Referer": str(page.url)})
    assert signed_in.status_code == 200
    assert "Log out" in signed_in.text
    token = site.manage("create_token", NAME, "--name", "tests", "--scope", "train", "--scope", "activate").strip()
    site.http.headers["Authorization"] = f"Token {token}"


def test_a_run_is_watched_through_tls(site: ContainerSite) -> None:
    socket = SocketViewer(site)
    run = site.train(**RUN | {"epochs": 3})
    stream = StreamViewer(site)
    assert socket.wait_for_end(run) == "completed"
    assert socket.epochs[run] == [1, 2, 3]
    assert len(socket.of("batch")) > 3
    assert eventually(lambda: stream.ending, 30, "the end of the event stream") == "completed"
    socket.close()
    seconds = min(epoch["seconds"] for epoch in site.run(run)["epochs"])
    RUN["samples"] = max(256, min(60_000, int(RUN["samples"] * EPOCH_SECONDS / seconds)))


LOOK = """
for folder in / /app /data /dev/shm /etc /home /opt /root /run /srv /tmp /usr/bin /usr/local/bin /var/lib /var/tmp "$@"
do
    if (: >"$folder/probe") 2>/dev/null; then rm "$folder/probe"; echo "$folder"; fi
done
"""


@pytest.mark.parametrize("service", LASTING)
def test_an_intruder_finds_nothing_to_write_to(site: ContainerSite, service: str) -> None:
    """As whom the container runs, also where it could become another user."""
    declared = SERVICES[service]
    volumes = [volume.split(":") for volume in declared.get("volumes", [])]
    named = {place.split(":")[0] for place in declared.get("tmpfs", [])}
    own = {"/data"} if service == "redis" else set()  # the image's own volume
    may = named | own | {"/dev/shm"} | {volume[1] for volume in volumes if volume[-1] != "ro"}
    asked = [place for volume in volumes if (place := volume[1]) and not Path(place).suffix] + sorted(named)
    found = site.engine.podman("exec", site.container(service), "sh", "-c", LOOK, "look", *asked).split()
    assert set(found) <= may
    users = site.engine.podman("top", site.container(service), "user", "capeff", "comm").splitlines()[1:]
    rights = {line.split()[2]: tuple(line.split()[:2]) for line in users}
    if service == "nginx":  # as root it reads the certificate
        assert ("nginx", "none") in {tuple(line.split()[:2]) for line in users}
        assert rights.pop("nginx")[1] in {"none", ",".join(sorted(declared["cap_add"]))}
    assert all(user != "root" and capabilities == "none" for user, capabilities in rights.values()), users
    status = site.engine.podman("exec", site.container(service), "cat", "/proc/1/status")
    assert "NoNewPrivs:\t1" in status


class Viewers:
    """Two who watch a run from its first epoch on."""

    def __init__(self, site: ContainerSite) -> None:
        self.site, self.socket = site, SocketViewer(site)
        self.run = site.train(**RUN)
        self.stream = StreamViewer(site)
        site.begun(self.run, 2)

    def epochs(self) -> int:
        return len(self.site.run(self.run)["epochs"])

    def wait_for_end(self) -> dict[str, Any]:
        """The run, complete in the database and in the eyes of both."""
        ended, every = self.site.ended(self.run), list(range(1, EPOCHS + 1))
        assert (ended["status"], ended["error_code"]) == ("completed", ""), ended
        assert [epoch["epoch"] for epoch in ended["epochs"]] == every
        assert self.socket.wait_for_end(self.run, 30) == "completed"
        assert self.socket.epochs[self.run] == every
        eventually(lambda: self.stream.ending, 30, "the end of the event stream")
        assert self.stream.ending == "completed"
        assert self.stream.epochs == sorted(self.stream.epochs)
        self.socket.close()
        return ended


@pytest.mark.parametrize("service", LASTING)
def test_a_restart_in_mid_run_loses_nothing(site: ContainerSite, service: str, say: Say) -> None:
    """First as an operator does it, then as the kernel does."""
    viewers = Viewers(site)
    for how, restart in (
        ("restarted", lambda: site.compose(f"restart {service}")),
        ("killed", lambda: site.kill_container(service)),
    ):
        before = viewers.epochs()
        assert before < EPOCHS, "the run ended too soon"
        with site.drawing_all_the_while() as figures:
            began = time.monotonic()
            restart()
            eventually(lambda: site.healthy(service) and site.answers(), 60, f"{service} again")
            back = time.monotonic() - began
            eventually(lambda old=before: viewers.epochs() >= min(old + 2, EPOCHS), 90, "the next epochs")
            went_on = time.monotonic() - began
        say(
            f"{service} {how}: back after {back:.1f} s, the run went on within {went_on:.1f} s; {figures['failed']} of "
            f"{figures['drawings']} drawings failed, over {figures['away']:.1f} s {figures['answers'] or ''}"
        )
    ended = viewers.wait_for_end()
    assert ended["attempt"] == (3 if SERVICES[service].get("command") == SERVICES["worker"]["command"] else 1)
    say(
        f"{service}: epochs lost 0 of {EPOCHS}, attempts {ended['attempt']}, connections of the socket "
        f"{viewers.socket.connections}, of the stream {viewers.stream.connections}"
    )


def test_an_upgrade_migrates_and_a_run_goes_on(site: ContainerSite, say: Say) -> None:
    """`docker compose up -d` with a newer image: it replaces the containers of that image."""
    newest = sorted(path.stem for path in (ROOT / "training" / "migrations").glob("0*.py"))[-1]
    folder = site.folder / "next"
    folder.mkdir()
    (folder / "0999_next_version.py").write_text(NEXT_VERSION.format(newest=newest))
    (folder / "Containerfile").write_text(f"FROM {PRODUCT}\nCOPY *.py training/migrations/\n")
    viewers = Viewers(site)
    site.engine.podman("build", "--tag", PRODUCT, str(folder))
    of_image = [name for name, service in SERVICES.items() if "build" in service]
    with site.drawing_all_the_while() as figures:
        began = time.monotonic()
        site.compose(f"stop {' '.join(of_image)}")
        site.engine.podman("rm", *map(site.container, of_image))
        site.compose("up -d")
        started(site)
        back = time.monotonic() - began
    assert site.inspect("migrate", ".State.ExitCode") == "0"
    assert "[X] 0999_next_version" in site.manage("showmigrations", "training")
    ended = viewers.wait_for_end()
    assert ended["attempt"] == 2
    say(
        f"upgraded in {back:.0f} s, without drawings for {figures['away']:.0f} s; epochs lost 0 of {EPOCHS}, "
        f"attempts {ended['attempt']}"
    )


def test_a_backup_is_restored_on_a_new_deployment(site: ContainerSite, say: Say) -> None:
    model = site.http.get("/api/runs/").json()["results"][0]["model"]
    assert site.http.post(f"/api/models/{model}/activate/").status_code == 200
    kept = [site.http.get(path).json() for path in ("/api/runs/", "/api/models/")]
    began = time.monotonic()
    site.sh(f"cd {site.folder}\n" + documented("docs/operations.md", "pg_dump"))
    saved = time.monotonic() - began
    sizes = ", ".join(f"{f.name} {f.stat().st_size // 1000} kB" for f in sorted(site.folder.glob("digits-backup.*")))
    site.compose("down -v")
    assert PROJECT not in site.engine.podman("volume", "ls", "--quiet"), "database and models are gone"
    began = time.monotonic()
    site.sh(f"cd {site.folder}\n" + documented("docs/operations.md", "pg_restore"))
    started(site)
    say(f"saved in {saved:.0f} s ({sizes}), restored and answering in {time.monotonic() - began:.0f} s")
    assert [site.http.get(path).json() for path in ("/api/runs/", "/api/models/")] == kept
    assert site.http.post("/api/drawing/", json=DRAWING).json()["model"] == model
    run = site.train(preset="fast", samples=64, epochs=1)
    assert site.ended(run)["status"] == "completed"
