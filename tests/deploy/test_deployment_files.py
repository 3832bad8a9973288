"""compose.yaml, the Procfiles, the image and nginx' configuration name the same programs, options, hosts and limits."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from digits_site.development.nginx_server import nginx_program
from tests.support.ports import free_port
from tests.support.public_site import make_certificate, whole_configuration
from tests.support.settings_file import variables_in_settings
from tests.support.stack import ROOT

COMPOSE = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def lines(name: str) -> dict[str, str]:
    """The processes of a Procfile, without deploy/keep, which compose's restart policy stands for."""
    line = r"^(\w+): (?:\w+=\S+ )?exec deploy/keep (?:--failed-too )?(.*)$"
    return dict(re.findall(line, (ROOT / name).read_text(), re.M))


def neutral(command: str) -> str:
    """Without the address and port, which each place chooses."""
    return re.sub(r"((?:--host|--port|--bind) )\S+|\$\{(\w+)[^}]*\}", r"\1\2", command)


def test_both_procfiles_start_the_same_streams_and_workers() -> None:
    assert neutral(lines("Procfile.scaled")["streams"]) == neutral(lines("Procfile")["web"])
    for worker in ("worker", "webhooks"):
        assert lines("Procfile.scaled")[worker] == lines("Procfile")[worker]


def test_compose_starts_what_the_scaled_procfile_starts() -> None:
    scaled = lines("Procfile.scaled")
    assert neutral(SERVICES["web"]["command"]) == neutral(scaled["web"])
    for worker in ("worker", "webhooks"):
        assert SERVICES[worker]["command"] == scaled[worker]
    assert "command" not in SERVICES["streams"], "the image's own"


def test_the_image_starts_the_server_of_the_procfile() -> None:
    assert 'CMD ["python", "-m", "digits_site.server", ' in DOCKERFILE
    assert lines("Procfile")["web"].startswith("python -m digits_site.server ")
    assert "web: MALLOC_ARENA_MAX=1 " in (ROOT / "Procfile").read_text()


def test_compose_sets_variables_that_exist_and_says_which_it_needs() -> None:
    assert [SERVICES[name]["environment"]["MALLOC_ARENA_MAX"] for name in ("web", "streams")] == ["1", "1"]
    assert set(SERVICES["web"]["environment"]) <= set(variables_in_settings()) | {"MALLOC_ARENA_MAX"}  # the C library's
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    said = COMPOSE[: COMPOSE.index("x-app:")]
    assert {name for name in needed if name not in said} == set()


def test_compose_gives_nginx_files_that_exist_and_hosts_that_it_knows() -> None:
    mounted = [volume.split(":")[0] for volume in SERVICES["nginx"]["volumes"] if volume.startswith("./")]
    assert mounted
    assert all((ROOT / name).exists() for name in mounted)
    hosts = set(re.findall(r"server (\w+):8000", NGINX))
    assert hosts == {"web", "streams"} == hosts & set(SERVICES)
    assert "--port 8000" in SERVICES["web"]["command"]


def test_what_nginx_asks_keeps_its_address() -> None:
    """nginx looks a host up once; all have fixed addresses on this network, or a restart might take another's."""
    members = {name: service["networks"]["app"] for name, service in SERVICES.items() if "app" in service["networks"]}
    assert set(members) == {"nginx", "web", "streams"}
    assert len({network["ipv4_address"] for network in members.values()}) == len(members)


def test_nginx_limits_bodies_as_the_product_does() -> None:
    limits = re.findall(r"(?:client_max_body_size|default) (\d+);", NGINX)
    usual, picture = str(settings.MAX_BODY_BYTES), str(settings.MAX_PICTURE_BYTES)
    assert limits == [usual, picture, usual, picture], "the words of a refusal, then what is refused"


# --- What an attacker would look for ---


def test_only_nginx_is_reached_from_outside() -> None:
    """Redis and PostgreSQL are on a network without a way out, and nginx is not on it. Webhooks go out."""
    published = {name for name, service in SERVICES.items() if "ports" in service}
    assert published == {"nginx"}
    networks: dict[str, Any] = yaml.safe_load(COMPOSE)["networks"]
    inside = {name for name, network in networks.items() if network and network.get("internal")}
    for name, service in SERVICES.items():
        assert name in {"nginx", "webhooks"} or set(service["networks"]) <= inside
    for name in ("redis", "postgres"):
        assert not set(SERVICES[name]["networks"]) & set(SERVICES["nginx"]["networks"])
    assert "--requirepass" in SERVICES["redis"]["command"]


def test_no_secret_has_a_default() -> None:
    for name in ("SECRET_KEY", "REDIS_PASSWORD", "POSTGRES_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}(.*?)\}}", COMPOSE)
        assert uses, name
        assert all(use.startswith(":?") for use in uses), name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("SECRET|PASSWORD|AUTH", name) or str(value).startswith("${"), name


def test_every_container_may_as_little_as_it_can() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        mounts = [volume for volume in service.get("volumes", []) if volume.startswith((".", "$", "/"))]
        assert all(volume.endswith(":ro") for volume in mounts), name
    assert re.search(r"^USER (?!root)\w+$", DOCKERFILE, re.M)
    assert DOCKERFILE.index("\nCOPY . .") < DOCKERFILE.index("\nUSER "), "what runs cannot change its own code"


def test_what_must_keep_serving_says_whether_it_does() -> None:
    without = {name for name, service in SERVICES.items() if "healthcheck" not in service}
    assert without == {"migrate", "worker", "webhooks"}, "the first ends, the others are missed by what waits for them"


def test_the_image_takes_no_secret_along() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", "var", "*.pem"} <= set(left_out)


def test_nginx_waits_as_briefly_for_every_server() -> None:
    """Until a host is named the default server's times count, so they are said where all servers inherit them."""
    everywhere = (ROOT / "deploy" / "nginx" / "http.conf").read_text()
    for name in ("client_header_timeout", "client_body_timeout", "send_timeout", "large_client_header_buffers"):
        assert re.search(rf"^{name} ", everywhere, re.M), name
        assert name not in NGINX + (ROOT / "deploy" / "nginx" / "server.conf").read_text()


def test_nginx_takes_the_public_configuration(tmp_path: Path) -> None:
    """main.conf and deploy/nginx.conf as they are, but for addresses, folders and the certificate."""
    program = nginx_program()
    if program is None or shutil.which("openssl") is None:
        pytest.skip("no nginx, or no openssl")
    make_certificate(tmp_path)
    file = tmp_path / "nginx.conf"
    file.write_text(whole_configuration(tmp_path, *(free_port() for _ in range(4))))
    tried = subprocess.run([program, "-t", "-q", "-c", file], capture_output=True, text=True, check=False)
    assert (tried.returncode, tried.stderr) == (0, "")
