"""Whose page may call: full origins compared, scheme and port included."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

DEFAULT_PORTS = {"http": 80, "https": 443}


def normalise(origin: str) -> tuple[str, str, int] | None:
    """`(scheme, host, port)` of an Origin header, or None for `null` and whatever is not an origin."""
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.scheme, parts.hostname.lower(), port


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
