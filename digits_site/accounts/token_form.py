"""The admin's form for a new access token."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from digits_site.accounts.models import SCOPES, AccessToken
from digits_site.accounts.tokens import DEFAULT_DAYS, MAX_DAYS


class TokenForm(forms.Form):
    """A superuser chooses any account and scope; others get their own account and the scopes that they may use."""

    name = forms.CharField(
        max_length=AccessToken._meta.get_field("name").max_length, help_text="What the token is for."
    )
    account = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        empty_label=None,
        help_text="The token acts for this account, as far as the account itself may.",
    )
    scopes = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, help_text="What the token may do.")
    days = forms.IntegerField(
        label="Days",
        required=False,
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
        help_text="Until it expires. Leave empty for a token that does not expire.",
    )

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data, initial={"account": user.pk}, label_suffix="")
        self.user = user
        permitted = SCOPES
        if not user.is_superuser:
            del self.fields["account"]
            permitted = {name: scope for name, scope in SCOPES.items() if user.has_perm(scope.permission)}
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(name, f"{name}: {scope.meaning}") for name, scope in permitted.items()]

    @property
    def values(self) -> dict[str, Any]:
        """Return the arguments of `create_token`."""
        return {"account": self.user, **self.cleaned_data}
