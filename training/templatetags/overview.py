"""{% overview as board %}: the parts of the admin's front page that the user may see."""

from typing import Any

from django import template

from training.admin import overview as admin_overview

register = template.Library()


@register.simple_tag(takes_context=True)
def overview(context: dict[str, Any]) -> dict[str, Any]:
    return admin_overview.overview(context["request"].user)
