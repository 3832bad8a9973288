"""Access tokens, with which programs act for an account."""

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken


class Scope(NamedTuple):
    """What a token may do, and the permission that its account needs as well."""

    meaning: str
    permission: str


SCOPES = {
    "train": Scope("request training runs", "training.add_trainingrun"),
    "stop": Scope("stop the active run", "training.add_trainingrun"),
    "activate": Scope("put a model into service", "recognition.add_activation"),
    "review": Scope("review corrections", "recognition.change_correction"),
}


def validate_scopes(scopes: object) -> None:
    """Raise ValidationError unless `scopes` is a list of known scopes."""
    if not isinstance(scopes, list) or not set(map(str, scopes)) <= set(SCOPES):
        raise ValidationError(f"Scopes are a list of {', '.join(SCOPES)}.")


class AccessToken(AbstractAuthToken):
    """Allows a program to do what `scopes` name, as far as `user` may do it.

    Made in the admin or by `manage.py create_token`; deleting the row revokes it. The token itself is not
    stored: `digest` is its SHA-512, and `token_key` its first characters, to find the row by.
    """

    id = models.BigAutoField(primary_key=True)  # knox's own key is the digest, which would appear in URLs
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(max_length=100, help_text="what it is for")
    scopes = models.JSONField(default=list, validators=[validate_scopes], help_text=", ".join(SCOPES))

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def expires(self) -> str:
        """The expiry, for people."""
        if self.expiry is None:
            return "never"
        return f"{self.expiry:%Y-%m-%d %H:%M} UTC" + (" (expired)" if self.expired else "")

    @property
    def expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()
