"""Keep out of a web process what libraries import only because it is installed: 20 to 30 MB."""

import sys
from types import ModuleType

from django.conf import settings

UNUSED = (
    "requests",  # rest_framework.compat imports it for a test client
    "pygments",  # rest_framework.compat, for the browsable API
    "jinja2",  # django.test, which drf_spectacular imports
    "OpenSSL",  # Twisted, for TLS, which nginx does here
    "cbor2",  # autobahn, for WAMP
)
WAMP = "autobahn.wamp.auth"  # it needs cryptography; an empty module will do for WebSockets


def skip_unused_modules() -> None:
    """Let imports of these modules fail as if they were not installed. Call it before Django and Twisted are loaded."""
    is_postgresql = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    for name in UNUSED if is_postgresql else (*UNUSED, "psycopg"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    sys.modules.setdefault(WAMP, ModuleType(WAMP))
