"""Access tokens: how a program speaks for an account."""

from __future__ import annotations

from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken


class Scope(NamedTuple):
    """What a token may do, and the permission that its account needs for it as well."""

    meaning: str
    permission: str


SCOPES = {
    "train": Scope("ask for training runs", "training.add_trainingrun"),
    "stop": Scope("stop the active run", "training.add_trainingrun"),
    "activate": Scope("put a model into service", "recognition.add_activation"),
}


def validate_scopes(scopes: object) -> None:
    """Raises ValidationError for what is no list of known scopes."""
    if not isinstance(scopes, list) or not set(map(str, scopes)) <= set(SCOPES):
        raise ValidationError(f"Scopes are a list of {', '.join(SCOPES)}.")


class AccessToken(AbstractAuthToken):
    """The right to do for `user` what `scopes` name, as far as that account may do it itself.

    The token itself is kept nowhere: `digest` is its SHA-512, and `token_key` its first characters, to find the row by.
    Made by `manage.py create_token`; deleting the row revokes it.
    """

    id = models.BigAutoField(primary_key=True)  # knox's own key is the digest, which has no place in an address
    digest = models.CharField(max_length=128, unique=True, editable=False)
    name = models.CharField(max_length=100, help_text="what it is for")
    scopes = models.JSONField(default=list, validators=[validate_scopes], help_text=", ".join(SCOPES))

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"token {self.pk}"

    @property
    def expires(self) -> str:
        """As people read it."""
        if self.expiry is None:
            return "never"
        return f"{self.expiry:%Y-%m-%d %H:%M}" + (", which is past" if self.expired else "")

    @property
    def expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()
