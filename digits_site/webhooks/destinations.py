"""Where deliveries may go: the rules for an endpoint's URL, and for the addresses that its host resolves to."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# IANA's special-purpose registries, where older versions of Python differ: IETF protocols, 6to4 relays, documentation.
SPECIAL = (ip_network("192.0.0.0/24"), ip_network("192.88.99.0/24"), ip_network("3fff::/20"))
PORTS = {"https": 443, "http": 80}


class Refused(Exception):
    """Public mode does not send to this address."""


class Destination(NamedTuple):
    """The parts of a URL that a request needs."""

    scheme: str
    host: str  # without the brackets of an IPv6 address
    port: int
    target: str  # path and query

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Destination:
    """Return the parts of an endpoint's URL. Raises ValidationError."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValidationError("The URL has spaces or characters outside ASCII. Encode them.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValidationError("This is not a valid URL.") from error
    schemes = ("https", "http") if settings.LOCAL else ("https",)
    if parts.scheme not in schemes:
        raise ValidationError(f"The URL must begin with {' or '.join(f'{name}://' for name in schemes)}.")
    if not parts.hostname or "%" in parts.hostname or port == 0:
        raise ValidationError("The URL names no host, or no valid port.")
    if "@" in parts.netloc or parts.fragment:
        raise ValidationError("The URL must have no user name, password or fragment.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, parts.hostname, port or PORTS[parts.scheme], target)


def resolve(destination: Destination) -> list[str]:
    """Return the addresses of the host, each of which may be connected to.

    Raises Refused in public mode if an address is private, and OSError if the name has no address.
    """
    try:
        found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label is empty or too long
        raise OSError("The host name is not valid.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.LOCAL:
        for address in addresses:
            if not is_public(ip_address(address)):
                raise Refused(f"{destination.host} has the address {address}, which is not a public one.")
    return addresses


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether the address, and an IPv4 address that is embedded in it, belongs to the public Internet."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None)
        if embedded is not None:
            return is_public(embedded)
        if address.sixtofour or address.teredo or address.is_site_local:
            return False
    if any(address in network for network in SPECIAL):
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not special and not address.is_link_local


def check_url(url: str) -> None:
    """Refuse what no delivery could reach. Raises ValidationError.

    In public mode the name must resolve to public addresses. It may resolve to others later, so every attempt checks
    them again.
    """
    destination = parse_url(url)
    if settings.LOCAL:
        return
    try:
        resolve(destination)
    except Refused as error:
        raise ValidationError(f"{error} Public mode does not send there.") from error
    except OSError as error:
        raise ValidationError(f"The host {destination.host} cannot be resolved.") from error
