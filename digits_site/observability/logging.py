"""How log lines look: one for people, one for machines. Both name the request and the run that a line belongs to.

Named in the setting LOGGING, so it is loaded before the apps are and imports no models.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from typing import Any

from digits_site.observability.context import request_id, run_id

FORMATS = ("line", "json")
ENCODER = json.JSONEncoder(default=str)  # made once: json.dumps would make one for every line


class Origin(logging.Filter):
    """Puts `request_id` and `run_id` on every record, None where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id, record.run_id = request_id.get(), run_id.get()
        return True


class LineFormatter(logging.Formatter):
    """`INFO training.worker.runner: run 12 claimed, attempt 1 [run 12]`"""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        line = super().formatMessage(record)
        for word in ("request", "run"):
            value = getattr(record, f"{word}_id", None)
            if value is not None:
                line += f" [{word} {value}]"
        return line


class JSONFormatter(logging.Formatter):
    """One object a line; a traceback is a text in it. ASCII alone, so that nothing in a message ends the line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", None),
            "run_id": getattr(record, "run_id", None),
            "exc_info": self.formatException(record.exc_info) if record.exc_info else record.exc_text,
            **getattr(record, "fields", {}),  # what a caller gave as extra={"fields": …}
        }
        return ENCODER.encode({name: value for name, value in line.items() if value is not None})


def formatter(kind: str) -> logging.Formatter:
    """For LOG_FORMAT; what is no format is a line, until the checks of the start refuse it."""
    return JSONFormatter() if kind == "json" else LineFormatter()


def logging_settings(kind: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to the console, in one format."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"origin": {"()": "digits_site.observability.logging.Origin"}},
        "formatters": {"chosen": {"()": "digits_site.observability.logging.formatter", "kind": kind}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["origin"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": ["console"], "propagate": False},
            "django.request": {"level": "ERROR"},  # a client's mistake is answered, not logged
            "django.security": {"level": "CRITICAL"},  # scanners would fill the log with hosts and forms
            "digits.access": {"level": "INFO" if kind == "json" else "WARNING"},  # a person's terminal stays quiet
            "daphne": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
        },
    }
