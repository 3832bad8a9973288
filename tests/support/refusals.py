"""The check of an error response."""

from typing import Any

JSON = "application/json"


def assert_refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check an error's status, code and form; return its body."""
    assert answer.status_code == status, answer.content[:300]
    assert answer.headers["Content-Type"].startswith(JSON)
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["message"] == body["detail"]
    assert "Traceback" not in body["message"]
    return body
