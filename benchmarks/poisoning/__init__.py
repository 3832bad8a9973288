"""Corrections with wrong labels."""
