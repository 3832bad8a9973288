"""Which address a request is counted under, behind a known number of proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

NETWORK_BITS = 64  # what one IPv6 subscriber is given: within it every address is the same caller's
UNKNOWN = "unknown"  # a Unix socket's peer has no address


def address_of(request: HttpRequest) -> str:
    """Of an HTTP request: `203.0.113.7`, `2001:db8:1:2::/64`, or `unknown`."""
    return counted_address(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The same of an ASGI scope, for what is counted before Django or without it."""
    forwarded = [value.decode("latin1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    return counted_address((scope.get("client") or ("",))[0], ",".join(forwarded))


def counted_address(peer: str, forwarded: str) -> str:
    """The address that the outermost of TRUSTED_PROXIES saw, from the socket's peer and X-Forwarded-For.

    Each proxy of ours adds the address it was called from at the right; what stands further left was there before,
    and its sender may have made it up. With fewer entries than proxies, or when the entry is no address, somebody went
    round a proxy, and all that is certain is the peer.
    """
    proxies = settings.TRUSTED_PROXIES
    entries = forwarded.split(",") if proxies > 0 and forwarded else []
    entry = normalised(entries[-proxies]) if len(entries) >= proxies > 0 else None
    return entry or normalised(peer) or UNKNOWN


def normalised(text: str) -> str | None:
    """An address without port, brackets and zone; IPv6 as its /64 network, IPv4 written as IPv6 as IPv4.

    None for what is no address.
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
