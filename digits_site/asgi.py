"""The ASGI application: HTTP by Django, live training by WebSocket."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
django_application = get_asgi_application()  # loads the apps: what follows imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from digits_site.backpressure import Backpressure  # noqa: E402
from digits_site.checks import refuse_unsafe_start  # noqa: E402
from digits_site.daphne_requests import leave_requests_to_us  # noqa: E402
from digits_site.middleware import OriginGuard  # noqa: E402
from digits_site.observation import NumberedSockets  # noqa: E402
from digits_site.shutdown import InFlight, end_gracefully  # noqa: E402
from digits_site.static_files import StaticFiles  # noqa: E402
from digits_site.threads import PlainAndStreams  # noqa: E402
from training import metrics, watchdog  # noqa: E402
from training.places import Places  # noqa: E402
from training.routing import websocket_urlpatterns  # noqa: E402

refuse_unsafe_start()
leave_requests_to_us()
if settings.WATCHDOG:
    watchdog.start(serves_queue=False)
metrics.follow_viewers(shared=settings.METRICS_DIR is not None)

http_application = InFlight(
    StaticFiles(PlainAndStreams(streams={reverse("progress"): Places(Backpressure(django_application))}))
)
end_gracefully(http_application)

websocket_application = NumberedSockets(Backpressure(OriginGuard(Places(URLRouter(websocket_urlpatterns)))))
application = ProtocolTypeRouter({"http": http_application, "websocket": websocket_application})
