"""Tokens that let the sender of a correction take it back. They are signed, not stored."""

from django.core import signing

UNDO_SECONDS = 3600
_signer = signing.TimestampSigner(salt="recognition.corrections.undo")


def undo_token(correction_id: int) -> str:
    """Return a token that is valid for one correction and UNDO_SECONDS."""
    return _signer.sign(str(correction_id))


def is_undo_token(token: object, correction_id: int) -> bool:
    """Return whether the token is genuine, belongs to the correction and has not expired."""
    try:
        return isinstance(token, str) and _signer.unsign(token, max_age=UNDO_SECONDS) == str(correction_id)
    except signing.BadSignature:
        return False
