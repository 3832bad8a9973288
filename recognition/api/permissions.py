"""Who may put a model into service, and who may review corrections."""

from rest_framework.request import Request

from digits_site.accounts.models import SCOPES
from digits_site.accounts.permissions import ScopedPermission, missing_scope

OWN_ACCOUNT = "me"  # the value of `?account=` for the caller's own


class MayActivate(ScopedPermission):
    """Accounts with recognition.add_activation, in every mode: visitors may train, but not activate."""

    scope = "activate"
    refusal = "Putting a model into service needs an account with the permission 'Can add activation'."


class MayReview(ScopedPermission):
    """Accounts with recognition.change_correction, in every mode."""

    scope = "review"
    refusal = "Reviewing corrections needs an account with the permission 'Can change correction'."


class MayDelete(MayReview):
    """Reviewers, and every account for what it sent itself: `?account=me`."""

    def account_may(self, request: Request) -> bool:
        is_own = request.query_params.get("account") == OWN_ACCOUNT and request.user.is_authenticated
        return is_own or super().account_may(request)


def may_review(request: Request) -> bool:
    """Return whether the caller is a reviewer, for calls that others may make too."""
    return not missing_scope(request, MayReview.scope) and request.user.has_perm(SCOPES[MayReview.scope].permission)
