"""Access tokens in the admin: made, listed and revoked; and the times of accounts as everywhere else."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from digits_site.accounts.models import AccessToken
from digits_site.accounts.token_form import TokenForm
from digits_site.accounts.tokens import create_token, missing_permissions
from digits_site.web.admin.actions import STATE_FIELD, Explanation, confirmation_page
from digits_site.web.admin.columns import time_column
from digits_site.web.formatting import time_tag

BUTTON = "Create token"
RULE = "A program sends it as Authorization: Token digits_… and then acts for the account."


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):
    """Made, and deleted, which revokes; never edited. The digest is not shown, and the token in one response only."""

    list_display = ("__str__", "name", "user", "scopes_shown", "made", "expires")
    list_select_related = ("user",)
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("=id", "name", "user__username")
    search_help_text = "By number, name or account."
    fields = readonly_fields = ("name", "user", "scopes_shown", "made", "expires")
    made = time_column("created", "created")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form, or make a token and show it: in the response to the POST, which nothing stores."""
        if not (self.has_add_permission(request) and isinstance(request.user, User)):
            raise PermissionDenied
        form = TokenForm(request.user, request.POST or None)
        with transaction.atomic():
            if request.method == "POST":  # of a double click, the second waits and sees the first one's token
                User.objects.select_for_update(no_key=True).get(pk=request.user.pk)
            newest = AccessToken.objects.order_by("-pk").first()
            state = str(newest.pk if newest else 0)
            if request.POST.get(STATE_FIELD) == state and form.is_valid():
                token, text = create_token(**form.values)
                self.log_addition(request, token, f"Made for {token.user}, scopes {', '.join(token.scopes)}.")
                return self.show_once(request, token, text)
        latest = capfirst(f"{newest} was made for {newest.user}.") if newest else ""
        explanation = Explanation([RULE], state=state, latest_change=latest)
        return confirmation_page(
            self, request, BUTTON, explanation, reverse("admin:accounts_accesstoken_changelist"), form=form
        )

    def show_once(self, request: HttpRequest, token: AccessToken, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": capfirst(f"{token} for {token.user}"),
            "opts": self.opts,
            "token": token,
            "text": text,
            "warnings": missing_permissions(token),
        }
        return TemplateResponse(request, "admin/accounts/token.html", context)

    @admin.display(description="scopes")
    def scopes_shown(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="expires", ordering="expiry")
    def expires(self, token: AccessToken) -> SafeString:
        if token.expiry is None:
            return SafeString("never")
        return format_html("{}{}", time_tag(token.expiry), " (expired)" if token.expired else "")


admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Django's, with times that nobody edits."""

    list_display = ("username", "email", "is_staff", "is_active", "signed_in")
    search_help_text = "By name or e-mail address."
    readonly_fields = ("signed_in", "joined")
    fieldsets = (*(UserAdmin.fieldsets or ())[:-1], ("Times", {"fields": readonly_fields}))
    signed_in = time_column("last_login", "last signed in")
    joined = time_column("date_joined", "joined")
