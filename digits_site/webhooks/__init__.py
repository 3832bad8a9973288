"""Webhooks: tell other programs of events, by the convention at standardwebhooks.com."""
