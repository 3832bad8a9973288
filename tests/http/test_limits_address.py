"""Whose request it is, behind proxies: what a client writes into X-Forwarded-For itself counts for nothing."""

from collections.abc import Callable

import pytest
from django.test import RequestFactory

from digits_site.web.limits.client_address import client_address, scope_client_address

PEER = "10.0.0.9"


def over_http(peer: str, forwarded: list[str]) -> str:
    headers = {"HTTP_X_FORWARDED_FOR": ", ".join(forwarded)} if forwarded else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))


def over_websocket(peer: str, forwarded: list[str]) -> str:
    """Here a repeated header arrives as it was sent."""
    headers = [(b"X-Forwarded-For", line.encode("latin1")) for line in forwarded]
    return scope_client_address({"type": "websocket", "headers": headers, "client": [peer, 5000]})


@pytest.fixture(params=[over_http, over_websocket])
def counted(request: pytest.FixtureRequest) -> Callable[[str, list[str]], str]:
    way: Callable[[str, list[str]], str] = request.param
    return way


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], PEER),
        (0, ["203.0.113.7"], PEER),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["192.0.2.1", "203.0.113.7"], "203.0.113.7"),
        (1, ["192.0.2.1, 198.51.100.2,203.0.113.7"], "203.0.113.7"),
        (2, ["192.0.2.1", "203.0.113.7", "10.0.0.8"], "203.0.113.7"),
        (2, ["203.0.113.7, 10.0.0.8"], "203.0.113.7"),
        # Fewer entries than proxies: the request went round one of them, and the entry may be its sender's own.
        (2, ["203.0.113.7"], PEER),
        (1, [], PEER),
        (3, ["192.0.2.1", "203.0.113.7"], PEER),
        (-1, ["203.0.113.7"], PEER),
    ],
)
def test_the_entry_that_the_outermost_proxy_wrote_counts(
    counted: Callable[[str, list[str]], str], settings, proxies: int, forwarded: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert counted(PEER, forwarded) == address


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        *((garbage, PEER) for garbage in ("", "unknown", "_hidden", "203.0.113", "203.0.113.7.8", "1", "[", "a:b:c")),
        *((garbage, PEER) for garbage in ("203.0.113.7/24", "0x7f.1", "²", "203.0.113.7\t:x:y", "9" * 5000)),
    ],
)
def test_an_entry_is_an_address_or_nothing(
    counted: Callable[[str, list[str]], str], settings, entry: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = 1
    assert counted(PEER, ["192.0.2.1", entry]) == address


def test_a_whole_ipv6_network_is_one_caller(settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert over_http("2001:db8::1", []) == over_websocket("2001:db8::ffff:1", []) == "2001:db8::/64"
    assert over_http("2001:db8:0:1::1", []) != over_http("2001:db8::1", [])


def test_a_peer_without_an_address_is_still_counted(settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert over_http("", []) == "unknown"
    assert scope_client_address({"headers": [], "client": None}) == "unknown"
