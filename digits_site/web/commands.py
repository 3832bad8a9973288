"""What management commands share: a question on the terminal, and an age in days."""

from django.core.management.base import CommandError

MAX_DAYS = 36_500


def confirm(question: str) -> bool:
    """Ask on the terminal. Without one, the answer is no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() == "y"
    except EOFError:
        return False


def check_older_than(days: int) -> None:
    """Raise CommandError for a value of --older-than that is out of bounds."""
    if not 0 <= days <= MAX_DAYS:
        raise CommandError(f"--older-than takes 0 to {MAX_DAYS} days.")
