"""For Digits."""

from time import sleep

from httpx import Client as HTTPClient
from websockets.sync.client import connect

__all__ = ["HTTPClient", "connect", "sleep"]
