"""The client's address, as rate limits count it, behind a known number of proxies."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

NETWORK_BITS = 64  # an IPv6 subscriber has at least a /64
UNKNOWN = "unknown"  # the peer of a Unix socket has no address


def client_address(request: HttpRequest) -> str:
    """Return the client's address, its /64 for IPv6, or `unknown`."""
    return trusted_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def scope_client_address(scope: Mapping[str, Any]) -> str:
    """Return the same for an ASGI scope."""
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    return trusted_address((scope.get("client") or ("",))[0], ",".join(forwarded))


def trusted_address(peer: str, forwarded: str) -> str:
    """Return the address that the outermost of TRUSTED_PROXIES saw.

    Each proxy appends the address of its peer to X-Forwarded-For; the client may have made up the entries before those.
    With fewer entries than proxies, or if the entry is not an address, the request bypassed a proxy: then only the
    socket's peer is certain. (DRF's NUM_PROXIES trusts the first entry in that case.)
    """
    proxies = settings.TRUSTED_PROXIES
    entries = forwarded.split(",") if proxies > 0 and forwarded else []
    entry = normalize(entries[-proxies]) if len(entries) >= proxies > 0 else None
    return entry or normalize(peer) or UNKNOWN


def normalize(text: str) -> str | None:
    """Return an address without port, brackets and zone, or None if it is not one.

    IPv6 becomes its /64 network; an IPv4-mapped address becomes IPv4.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, NETWORK_BITS), strict=False))
        address = address.ipv4_mapped
    return str(address)
