"""What the launcher says instead of a traceback."""


class StartError(Exception):
    """Why nothing can be started, in words for the person at the terminal."""
