from django.urls import path, re_path

from training.live.consumers import TrainingConsumer, UnknownPathConsumer

websocket_urlpatterns = [
    path("ws/training/", TrainingConsumer.as_asgi()),
    re_path("", UnknownPathConsumer.as_asgi()),
]
