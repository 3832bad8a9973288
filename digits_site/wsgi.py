"""The WSGI application, for servers of plain HTTP. Streams need digits_site.asgi.

No watchdog starts here: the web process that serves the streams has one, and every worker.
"""

import gc
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from django.core.wsgi import get_wsgi_application

from digits_site.server.optional_modules import skip_unused_modules

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
skip_unused_modules()
django_application = get_wsgi_application()

from django.conf import settings  # noqa: E402

from digits_site.checks import refuse_unsafe_start  # noqa: E402
from digits_site.server.parent_death import after_parent_death, terminate_gracefully  # noqa: E402
from digits_site.web.middleware.lingering_close import Environ, LingeringClose  # noqa: E402
from recognition import statistics  # noqa: E402

refuse_unsafe_start()
after_parent_death(terminate_gracefully)
if settings.DAILY_STATISTICS:
    statistics.start()


def respond(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Return a response as a list unless it is a stream: granian sends a list at once, anything else in parts."""
    response = django_application(environ, start_response)
    if response.streaming:
        return response
    with closing(response):
        return list(response)


application = LingeringClose(respond)
gc.freeze()  # what the start has made is no garbage: collecting after large bodies takes no time
