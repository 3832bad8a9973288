"""The ASGI application: HTTP by Django, live training by WebSocket. Any ASGI server can load it."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
django_application = get_asgi_application()  # loads the apps: what follows imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from digits_site.checks import refuse_unsafe_start  # noqa: E402
from digits_site.web.limits.stream_slots import StreamSlots  # noqa: E402
from digits_site.web.middleware.body_limit import BodyLimit  # noqa: E402
from digits_site.web.middleware.origins import OriginGuard  # noqa: E402
from digits_site.web.middleware.request_id import WebSocketRequestID  # noqa: E402
from digits_site.web.middleware.slashes import SlashRouter  # noqa: E402
from digits_site.web.middleware.static_files import StaticFiles  # noqa: E402
from digits_site.web.middleware.stream_router import StreamRouter  # noqa: E402
from recognition import statistics  # noqa: E402
from training.live.consumers import websocket_urlpatterns  # noqa: E402
from training.worker import watchdog  # noqa: E402

refuse_unsafe_start()
if settings.WATCHDOG:
    watchdog.start(is_worker=False)
if settings.DAILY_STATISTICS:
    statistics.start()

streams = {reverse("progress"): StreamSlots(django_application)}
http_application = StaticFiles(BodyLimit(StreamRouter(streams)))
websocket_application = WebSocketRequestID(OriginGuard(StreamSlots(URLRouter(websocket_urlpatterns))))
application = SlashRouter(ProtocolTypeRouter({"http": http_application, "websocket": websocket_application}))
gc.freeze()  # as in digits_site.wsgi
