"""Secrets of endpoints, and signatures with them, as Standard Webhooks defines both.

The database holds secrets encrypted by a key that is derived from SECRET_KEY: signing needs the secret itself.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any

from django.conf import settings

PREFIX = "whsec_"
SECRET_BYTES = 32  # the convention allows 24 to 64
UNREADABLE = "The endpoint's secret cannot be decrypted: SECRET_KEY has changed. Rotate the secret."


class UnreadableSecret(Exception):
    """The secret was encrypted under another SECRET_KEY."""


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def cipher() -> Any:
    from cryptography.fernet import Fernet  # 6 MB, which a web process needs only when it makes a secret

    key = hashlib.sha256(b"digits_site.webhooks.signing" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def encrypt(secret: str) -> str:
    return str(cipher().encrypt(secret.encode()).decode())


def decrypt(encrypted: str) -> str:
    """Return the secret. Raises UnreadableSecret."""
    from cryptography.fernet import InvalidToken

    try:
        return str(cipher().decrypt(encrypted.encode()).decode())
    except InvalidToken as error:
        raise UnreadableSecret(UNREADABLE) from error


def sign(signing_secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header webhook-signature: one signature for each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(PREFIX)) for secret in signing_secrets]
    digests = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
