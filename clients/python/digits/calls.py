"""Every call of the HTTP API: what is sent, and how the answer is read. No network here."""

import base64
import email.utils
import math
import mimetypes
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import httpx
import msgspec

from digits import answers
from digits.errors import BadArgument, Refused, UnknownAnswer, refusal

T = TypeVar("T")
Picture = str | PathLike[str] | bytes | BinaryIO  # a path, a picture's bytes, or a file that is open for reading
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between attempts
LONGEST_HOST = 253  # of a name in the DNS
LOCAL = "http://127.0.0.1:8000"  # where `make run` serves


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, and the type of its answer; `is_repeatable` if it may be sent again after an answer was lost."""

    method: str
    path: str
    answer: type[T]
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json"
    is_repeatable: bool = True

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """Return what httpx sends. Parameters that are None are left out. Raises BadArgument."""
        given = {name: value for name, value in self.params.items() if value is not None}
        headers = {} if self.content is None else {"Content-Type": self.content_type}
        try:
            return http.build_request(self.method, self.path, params=given, content=self.content, headers=headers)
        except UnicodeError as error:
            raise BadArgument(str(error)) from None

    def read(self, response: httpx.Response) -> T:
        """Return the answer. Raises Refused or UnknownAnswer."""
        if response.is_redirect:
            raise UnknownAnswer(f"{response.url} has moved to {response.headers.get('Location')}.")
        if not response.is_success:
            raise refused(response)
        if self.answer is bytes:
            return response.content  # type: ignore[return-value]
        if self.answer is type(None):
            return None
        try:
            return msgspec.json.decode(response.content, type=self.answer)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UnknownAnswer(f"{response.url} does not answer as the service does: {error}") from error


def refused(response: httpx.Response) -> Refused:
    """Return the error that a response is."""
    try:
        details = msgspec.json.decode(response.content, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):  # of a proxy
        details = {}
    if response.status_code == httpx.codes.NOT_FOUND:  # which of several?
        details["message"] = f"{details.get('message', 'Not found.')} ({response.url.path})"
    return refusal(response.status_code, details, retry_after(response.headers.get("Retry-After")))


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which may be a date."""
    if value is None:
        return None
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def pause(attempt: int, asked_for: float | None = None) -> float:
    """Return the seconds to wait after a failed attempt, the first of which is 0."""
    growing = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 9))
    return growing if asked_for is None else max(FIRST_PAUSE, asked_for)


def address(url: str) -> str:
    """Return the service's URL. Raises BadArgument."""
    try:
        parsed = httpx.URL(url.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        raise BadArgument(f"{url}: {error}") from None
    if (
        parsed.scheme not in {"http", "https"}
        or not parsed.host
        or not 0 < (parsed.port or 80) < 2**16
        or len(parsed.host) > LONGEST_HOST
        or parsed.query
        or parsed.fragment
    ):
        raise BadArgument(f"{url} is no address like {LOCAL}.")
    return str(parsed)


def headers(token: str | None) -> dict[str, str]:
    """Return the headers of every request. Raises BadArgument for what cannot be a token; it is not shown."""
    token = (token or "").strip()
    if not (token.isascii() and token.isprintable()):
        raise BadArgument("The token has characters that no token has.")
    return {"Accept": "application/json", **({"Authorization": f"Token {token}"} if token else {})}


def load(picture: Picture) -> tuple[bytes, str]:
    """Return a picture's bytes and media type. Raises OSError."""
    if isinstance(picture, (bytes, bytearray)):
        return bytes(picture), "image/png"  # the server goes by the bytes
    if hasattr(picture, "read"):
        return picture.read(), "image/png"
    path = Path(fspath(picture))
    kind = mimetypes.guess_type(path.name)[0] or ""
    return path.read_bytes(), kind if kind.startswith("image/") else "image/png"


def data_url(picture: Picture) -> str:
    """Return a picture as JSON takes it."""
    content, kind = load(picture)
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def encode(**values: Any) -> bytes:
    """Return a JSON object of the values that are not None. Raises BadArgument."""
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):  # JSON would have null, which means the default
            raise BadArgument(f"{name} is {value}.")
    try:
        return msgspec.json.encode({name: value for name, value in values.items() if value is not None})
    except (UnicodeError, TypeError) as error:
        raise BadArgument(str(error)) from None


PageCall = Callable[[int], Call[answers.Page[T]]]  # takes a page's number


def predict(picture: Picture, model: int | None, preview: bool, explain: int | None) -> Call[answers.Prediction]:
    content, kind = load(picture)
    params = {"model": model, "preview": 1 if preview else None, "explain": explain}
    return Call("POST", "/api/drawing/", answers.Prediction, params, content, kind)


def predict_many(pictures: Sequence[Picture]) -> Call[answers.Batch]:
    content = encode(drawings=[data_url(picture) for picture in pictures])
    return Call("POST", "/api/drawings/", answers.Batch, content=content)


def read_number(picture: Picture, model: int | None) -> Call[answers.Number]:
    content, kind = load(picture)
    return Call("POST", "/api/number/", answers.Number, {"model": model}, content, kind)


def correct(picture: Picture, label: int | None) -> Call[answers.Correction]:
    content, kind = load(picture)
    params = {"label": "null" if label is None else label}
    return Call("POST", "/api/corrections/", answers.Correction, params, content, kind)


def undo(correction: answers.Correction) -> Call[None]:
    return Call(
        "DELETE", f"/api/corrections/{correction.id}/", type(None), {"undo": correction.undo}, is_repeatable=False
    )


def train(parameters: Mapping[str, Any]) -> Call[answers.RequestedRun]:
    content = encode(**parameters)
    return Call("POST", "/api/retrain_model/", answers.RequestedRun, content=content, is_repeatable=False)


def stop(run: int | None) -> Call[answers.RunReference]:
    return Call("POST", "/api/stop_training/", answers.RunReference, content=encode(run=run), is_repeatable=False)


def run(number: int) -> Call[answers.Run]:
    return Call("GET", f"/api/runs/{number}/", answers.Run)


def describe(number: int, description: Mapping[str, Any]) -> Call[answers.Run]:
    return Call("PATCH", f"/api/runs/{number}/", answers.Run, content=encode(**description))


def runs(page: int, filters: Mapping[str, str | bool | None]) -> Call[answers.Page[answers.Run]]:
    params = {"page": page, "page_size": 100, **filters}
    return Call("GET", "/api/runs/", answers.Page[answers.Run], params)


def models(page: int) -> Call[answers.Page[answers.Model]]:
    return Call("GET", "/api/models/", answers.Page[answers.Model], {"page": page})


def model(number: int) -> Call[answers.Model]:
    return Call("GET", f"/api/models/{number}/", answers.Model)


def activate(number: int, reason: str) -> Call[answers.Model]:
    return Call("POST", f"/api/models/{number}/activate/", answers.Model, content=encode(reason=reason))


def export(number: int, kind: str) -> Call[bytes]:
    return Call("GET", f"/api/models/{number}/{kind}/", bytes)


def presets() -> Call[answers.Page[answers.Preset]]:
    return Call("GET", "/api/presets/", answers.Page[answers.Preset])


def results(batch: answers.Batch) -> list[answers.Prediction | Refused]:
    """Return what a batch answers for each drawing. Raises UnknownAnswer."""
    try:
        return [
            refusal(422, result, None) if "code" in result else msgspec.convert(result, answers.Prediction)
            for result in batch.results
        ]
    except msgspec.MsgspecError as error:
        raise UnknownAnswer(f"A batch is not as the service's are: {error}") from error
