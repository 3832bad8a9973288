"""Labels as clients write them: 0 to 9, and null or `none` for a drawing that shows no digit."""

import re
from typing import Any

from recognition.errors import InvalidLabel
from recognition.models import NO_DIGIT

NO_DIGIT_NAME = "none"  # in folder names, file names and summaries


def parse_label(value: Any) -> int:
    """Return the label of a JSON value: an integer from 0 to 9, or None. Raises InvalidLabel."""
    if value is None:
        return NO_DIGIT
    if type(value) is not int or not 0 <= value <= 9:  # `type`, because a bool is an int for isinstance
        raise InvalidLabel
    return value


def parse_label_text(text: Any) -> int:
    """Return the label of a form's or a query's text: "0" to "9", or "null". Raises InvalidLabel."""
    if not isinstance(text, str):  # a file
        raise InvalidLabel
    if text == "null":
        return NO_DIGIT
    if not re.fullmatch("[0-9]", text):
        raise InvalidLabel
    return int(text)


def label_name(label: int) -> str:
    """Return "0" to "9", or "none"."""
    return NO_DIGIT_NAME if label == NO_DIGIT else str(label)
