"""Who may put a model into service."""

from digits_site.accounts.permissions import ScopedPermission


class MayActivate(ScopedPermission):
    """Accounts with recognition.add_activation, in every mode: visitors may train, but not activate."""

    scope = "activate"
    refusal = "Putting a model into service needs an account with the permission 'Can add activation'."
