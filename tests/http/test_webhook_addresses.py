"""Where deliveries may go, after resolving, and whose certificate is accepted."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError

from digits_site.webhooks import destinations, sending
from digits_site.webhooks.models import WebhookEndpoint
from tests.support.public_site import make_certificate
from tests.support.receiver import one_transaction, receiver_of_a_test, receiving  # noqa: F401
from tests.support.webhooks import attempted, made, published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_transaction")]
EVERYWHERE = "93.184.215.14"  # a public address
INSIDE = [
    *("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::a00:1"),
    *("2002:7f00:1::", "2001:0:7f00:1::", "64:ff9b:1::1", "2001:db8::1"),
    *("192.0.0.8", "192.88.99.1", "3fff::1"),
]


@pytest.fixture
def names(monkeypatch) -> Iterator[tuple[dict[str, list[list[str]]], list[str]]]:
    """Names by the addresses of one look-up after the other, and every host that was connected to."""
    table: dict[str, list[list[str]]] = {}
    connected: list[str] = []
    real, connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: str, *rest: Any, **named: Any) -> Any:
        if host not in table:
            return real(host, *rest, **named)
        addresses = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        return [entry for address in addresses for entry in real(address, *rest, **named)]

    def create_connection(address: tuple[str, int], *rest: Any) -> socket.socket:
        connected.append(address[0])
        if address[0] == EVERYWHERE:
            raise ConnectionRefusedError("There is no Internet here")
        return connect(address, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(sending.socket, "create_connection", create_connection)
    return table, connected


@pytest.mark.parametrize("address", INSIDE)
def test_public_mode_sends_to_no_address_that_is_not_public(names, settings, address) -> None:
    table, connected = names
    table["hooks.example"] = [[EVERYWHERE], [EVERYWHERE, address]]
    settings.LOCAL = False
    endpoint, _ = made("https://hooks.example/")
    delivery = attempted(published(endpoint))
    assert delivery.error == f"Refused: hooks.example has the address {address}, which is not a public one."
    assert connected == []
    with pytest.raises(CommandError, match="not a public one"):
        made("https://hooks.example/other")


def test_the_connection_goes_to_the_address_that_was_checked(names, settings, receiver) -> None:
    """The name is not resolved again, so it cannot be rebound meanwhile."""
    table, connected = names
    settings.LOCAL = False
    table["hooks.example"] = [[EVERYWHERE], [EVERYWHERE], ["127.0.0.1"]]
    endpoint, _ = made(f"https://hooks.example:{receiver.port}/")
    delivery = attempted(published(endpoint))
    assert connected == [EVERYWHERE]
    assert table["hooks.example"] == [["127.0.0.1"]], (
        "one look-up was for the check of the command, one for the attempt"
    )
    assert delivery.error == "There is no Internet here."
    assert receiver.received == []


@pytest.mark.parametrize("address", [EVERYWHERE, "2606:4700:4700::1111", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"])
def test_public_addresses_are_allowed(settings, address) -> None:
    settings.LOCAL = False
    destinations.check_url(f"https://[{address}]/" if ":" in address else f"https://{address}:8443/")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://1.1.1.1/",
            "ftp://1.1.1.1/",
            "https:///",
            "https://1.1.1.1:0/",
            "https://1.1.1.1:99999/",
            "//1.1.1.1/",
        ),
        *(
            "https://a:b@1.1.1.1/",
            "https://@1.1.1.1/",
            "https://1.1.1.1/#x",
            "https://1.1.1.1/\r\nHost: x",
            "https://1.1.1.1/ü",
        ),
        *("https://[fe80::1%25eth0]/", "https://[::1", "https://2130706433/", "https://0x7f.1/", "https://localhost/"),
        *("https://nothing.invalid/", f"https://{'a' * 64}.example/", "https://1.1.1.1\\@127.0.0.1/", "https://a..b/"),
    ],
)
def test_a_url_that_no_delivery_should_reach_is_refused_when_it_is_saved(settings, url) -> None:
    settings.LOCAL = False
    with pytest.raises(ValidationError):
        destinations.check_url(url)
    with pytest.raises(CommandError):
        made(url)


def test_the_certificate_must_be_for_the_name(tmp_path: Path, monkeypatch) -> None:
    make_certificate(tmp_path)
    with receiving(tmp_path) as receiver:
        endpoint, secret = made(f"https://localhost:{receiver.port}/hook")
        sending.tls_context.cache_clear()
        assert "CERTIFICATE_VERIFY_FAILED" in attempted(published(endpoint)).error
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "fullchain.pem"))
        sending.tls_context.cache_clear()
        assert attempted(published(endpoint)).status == "delivered"
        WebhookEndpoint.objects.update(url=f"https://127.0.0.1:{receiver.port}/hook")
        assert "CERTIFICATE_VERIFY_FAILED" in attempted(published(endpoint)).error
        receiver.received[-1].verified(secret)
    sending.tls_context.cache_clear()
