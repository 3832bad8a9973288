"""For AsyncDigits."""

from asyncio import sleep

from httpx import AsyncClient as HTTPClient
from websockets.asyncio.client import connect

__all__ = ["HTTPClient", "connect", "sleep"]
