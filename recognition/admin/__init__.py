"""Models and corrections in the admin. Importing the modules registers them."""

from recognition.admin import corrections  # noqa: F401
from recognition.admin.deletion import MAY_DELETE_MODELS, delete, explain_plan
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
    "MAY_DELETE_MODELS",
    "activations_table",
    "delete",
    "explain_plan",
    "explain_service",
    "put_into_service",
    "reason_form",
]
