"""Serve the ASGI application with daphne: `python -m digits_site.server --bind 127.0.0.1 --port 8000`."""

import os
import sys

import django

from digits_site.server.optional_modules import skip_unused_modules
from digits_site.server.options import DEFAULTS


def main() -> None:
    """Run daphne's command line with this project's server, application and defaults."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
    skip_unused_modules()
    from daphne.cli import CommandLineInterface  # installs Twisted's asyncio reactor, so before all other use of it

    django.setup()
    from digits_site.server.server import Server

    command = CommandLineInterface()
    command.server_class = Server
    command.parser.set_defaults(**DEFAULTS)
    command.run([*sys.argv[1:], "digits_site.asgi:application"])


if __name__ == "__main__":
    main()
