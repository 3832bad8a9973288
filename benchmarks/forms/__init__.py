"""MNIST's test digits as forms, exercise books, phones and scanners show them."""

from PIL import Image

from benchmarks.forms.kinds import KINDS, generate

__all__ = ["KINDS", "pictures"]


def pictures(kind: str, each: int = 100, seed: int = 1) -> list[tuple[int, Image.Image]]:
    """Return digits with their labels, in mode RGB; the same ones for the same arguments."""
    return list(generate(kind, each, seed))
