"""Access tokens in the admin: listed and revoked there, made only by `manage.py create_token`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from digits_site.accounts.models import AccessToken


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):
    """Read-only except for deleting, which revokes. Neither the token nor its digest is shown."""

    list_display = ("__str__", "name", "user", "scopes_shown", "created", "expires")
    list_select_related = ("user",)
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("=id", "name", "user__username")
    fields = readonly_fields = ("name", "user", "scopes_shown", "created", "expires")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="scopes")
    def scopes_shown(self, token: AccessToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description="expires", ordering="expiry")
    def expires(self, token: AccessToken) -> str:
        return token.expires
