"""Models and corrections in the admin. Importing the modules registers them."""

from recognition.admin import corrections  # noqa: F401
from recognition.admin.models import (
    ACTIVATIONS_SHOWN,
    MAY_ACTIVATE,
    activations_table,
    explain_service,
    put_into_service,
    reason_form,
)

__all__ = [
    "ACTIVATIONS_SHOWN",
    "MAY_ACTIVATE",
    "activations_table",
    "explain_service",
    "put_into_service",
    "reason_form",
]
