"""{{ run.queued_at|time }} and {{ total|count }}: times and numbers as the admin writes them."""

from django import template

from digits_site import formats

register = template.Library()
register.filter("time", formats.time_tag)
register.filter("count", formats.count)
