"""{{ run.queued_at|time }} and {{ total|count }}: times and numbers as the admin writes them."""

from django import template

from digits_site.web import formatting

register = template.Library()
register.filter("time", formatting.time_tag)
register.filter("count", formatting.format_count)
