"""Whose page may call: full origins compared, scheme and port included."""

import re

from django.conf import settings
from django.http.request import split_domain_port, validate_host

# As browsers write one (RFC 6454); a parser of URLs forgives tabs, users and leading zeros.
ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?")
DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise(origin: str) -> tuple[str, str, int] | None:
    """`(scheme, host, port)` of an Origin header, or None for `null` and whatever is not an origin."""
    found = ORIGIN.fullmatch(origin.lower())
    if found is None:
        return None
    scheme, host, port = found.groups()
    return scheme, host, int(port or DEFAULT_PORTS[scheme])


def origin_allowed(origin: str, *, scheme: str, host: str) -> bool:
    """Whether a request for `host` (a Host header) may come from a page of `origin`: its own, or a trusted one."""
    asked = normalise(origin)
    if asked is None:
        return False
    return asked == normalise(f"{scheme}://{host}") or asked in {normalise(o) for o in settings.TRUSTED_ORIGINS}


def host_allowed(host: str) -> bool:
    """Django's own Host rule, for connections that do not pass CommonMiddleware (WebSocket)."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
