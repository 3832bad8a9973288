"""Compare full origins, scheme and port included, and hosts."""

import re

from django.conf import settings
from django.http.request import split_domain_port, validate_host

# As browsers write one (RFC 6454); URL parsers also accept tabs, users and leading zeros.
ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?")
DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_origin(origin: str) -> tuple[str, str, int] | None:
    """Return `(scheme, host, port)` of an Origin header, or None for `null` and anything else."""
    match = ORIGIN.fullmatch(origin.lower())
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme, host, int(port or DEFAULT_PORTS[scheme])


def is_origin_allowed(origin: str, *, scheme: str, host: str) -> bool:
    """Return whether a page of `origin` may call `host` (a Host header): it is the same origin, or a trusted one."""
    parsed = parse_origin(origin)
    if parsed is None:
        return False
    return parsed == parse_origin(f"{scheme}://{host}") or parsed in {parse_origin(o) for o in settings.TRUSTED_ORIGINS}


def is_host_allowed(host: str) -> bool:
    """Apply Django's Host rule to connections that bypass its middleware."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
