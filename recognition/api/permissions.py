"""Who may put a model into service, and who may review corrections."""

from rest_framework.request import Request

from digits_site.accounts.models import SCOPES
from digits_site.accounts.permissions import ScopedPermission, missing_scope


class MayActivate(ScopedPermission):
    """Accounts with recognition.add_activation, in every mode: visitors may train, but not activate."""

    scope = "activate"
    refusal = "Putting a model into service needs an account with the permission 'Can add activation'."


class MayReview(ScopedPermission):
    """Accounts with recognition.change_correction, in every mode."""

    scope = "review"
    refusal = "Reviewing corrections needs an account with the permission 'Can change correction'."


def may_review(request: Request) -> bool:
    """Return whether the caller is a reviewer, for calls that others may make too."""
    return not missing_scope(request, MayReview.scope) and request.user.has_perm(SCOPES[MayReview.scope].permission)
