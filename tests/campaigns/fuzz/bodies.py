"""Bodies and headers made up by Hypothesis, for every POST of the document: JSON, forms, multipart, anything."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

import hypothesis
from hypothesis import strategies as st

from tests.support.drawings import data_url, draw, encode
from tests.support.wire import Request

T = TypeVar("T")
PNG = data_url(encode(draw(7, 28)))
BATCH = 400  # examples of one seed: Hypothesis keeps what it has made of each

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
BIG = st.sampled_from((0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, 5e-324, -0.0))
TEXT = st.text(max_size=40) | st.sampled_from(
    ("", "\0", "\ud800", "\N{RIGHT-TO-LEFT OVERRIDE}", "' OR 1=1 --", "{{7*7}}", "²", "१")
)
LEAF = st.none() | st.booleans() | st.integers() | FLOATS | BIG | TEXT
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=12
)
BASE64 = st.binary(max_size=200).map(lambda data: data_url(data))
HEADS = st.sampled_from(
    ("data:", "data:image/png", "data:image/png;base64", "DATA:;BASE64", "http://a/b", "", " data:;base64")
)
URL = (
    st.just(PNG)
    | BASE64
    | st.tuples(HEADS, st.sampled_from((",", "", ",,")), TEXT | st.just("iVBORw0KGgo=")).map("".join)
)
NAMES = st.sampled_from(
    ("drawing", "drawings", "run", "epochs", "batch_size", "learning_rate", "samples", "seed", "activate", "preset")
)
NEAR = st.dictionaries(NAMES | TEXT, URL | VALUE | st.lists(URL | LEAF, max_size=4), max_size=4)
TOLD = st.dictionaries(st.just("drawing"), URL, min_size=1) | st.dictionaries(
    st.just("drawings"), st.lists(URL, max_size=3), min_size=1
)

JSON_KINDS = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "application/json; charset=",
)
KINDS = (
    "text/plain",
    "text/plain;charset=UTF-8",
    "",
    "image/png",
    "image/svg+xml",
    "image/*",
    "*/*",
    "application/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 300,
    "multipart/mixed; boundary=b",
    "\xff\xfe",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/json; charset=\xe9",
)
BROKEN = (
    b"",
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b"\xff\xfe{\0}\0",
    b"\xef\xbb\xbf{}",
    b'{"drawing": NaN}',
    b'{"a": 1, "a": 2}',
    b"nul",
    b'{"drawing": "\\ud800"}',
    b'{"epochs": 1e400}',
    b"9" * 5000,
    b'{"run": ' + b"9" * 4999 + b"}",
    b"{}{}",
    b'"\0"',
    b"\0" * 100,
)
TRANSFERS = st.sampled_from(("base64", "quoted-printable", "binary", "nonsense", ""))


def dumped(value: Any) -> bytes:
    """As JSON, or as what Python takes for JSON: NaN and lone surrogates go through."""
    return json.dumps(value).encode()


def raw(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@st.composite
def multipart(draw: st.DrawFn) -> tuple[str, bytes]:
    """A form of up to five parts, each perhaps with a wrong header, and perhaps not closed."""
    mark = draw(st.sampled_from(("b", "----WebKitFormBoundary7", "-", "b b")))
    body = b""
    for _ in range(draw(st.integers(0, 5))):
        name, file = draw(NAMES | TEXT), draw(st.none() | TEXT)
        head = f'form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
        body += f"--{mark}\r\nContent-Disposition: {head}\r\n".encode("utf-8", "replace")
        if draw(st.booleans()):
            body += f"Content-Type: {draw(st.sampled_from(KINDS))}\r\n".encode()
        if draw(st.booleans()):
            body += f"Content-Transfer-Encoding: {draw(TRANSFERS)}\r\n".encode()
        body += b"\r\n" + draw(st.binary(max_size=300) | URL.map(lambda url: url.encode("utf-8", "replace"))) + b"\r\n"
    return f"multipart/form-data; boundary={mark}", body + draw(
        st.sampled_from((f"--{mark}--\r\n".encode(), b"", b"--b-"))
    )


FORM = st.dictionaries(NAMES | TEXT, TEXT, max_size=5).map(
    lambda fields: "&".join(f"{k}={v}" for k, v in fields.items()).encode("utf-8", "replace")
)
BODY = st.one_of(
    st.tuples(st.sampled_from(JSON_KINDS[:1] * 5 + JSON_KINDS), (NEAR | TOLD | VALUE).map(dumped)),
    st.tuples(st.just(JSON_KINDS[0]), (NEAR | VALUE).map(raw)),
    st.tuples(st.sampled_from(JSON_KINDS), st.sampled_from(BROKEN)),
    st.tuples(st.just(JSON_KINDS[0]), st.tuples(TOLD.map(dumped), st.binary(max_size=5)).map(b"".join)),
    st.tuples(st.sampled_from(KINDS), st.binary(max_size=500)),
    st.tuples(st.just("application/x-www-form-urlencoded"), FORM),
    multipart(),
)

ANY_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
HEADER = st.one_of(
    st.tuples(
        st.just("Accept"), st.sampled_from(("*/*", "text/html", "application/json", "image/*;q=0", "a/b/c", "", "*"))
    ),
    st.tuples(st.just("Accept"), ANY_VALUE),
    st.tuples(
        st.just("Origin"),
        st.sampled_from(("null", "http://localhost:3000", "http://evil.example", "http://[::1", "\xff")),
    ),
    st.tuples(
        st.just("Host"),
        st.sampled_from(("localhost", "127.0.0.1", "evil.example", "[::1]:80", "a b", "", "127.0.0.1:99999")),
    ),
    st.tuples(
        st.just("Authorization"),
        st.sampled_from(("Token", "Token x", "Token digits_x y", "Token \xff", "Basic e30=", "Bearer x")),
    ),
    st.tuples(
        st.just("Cookie"),
        st.sampled_from(("sessionid=x", "csrftoken=x; sessionid=\xff", ";;;=", "sessionid=" + "a" * 4000)),
    ),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(("gzip", "br", "identity"))),
    st.tuples(st.just("X-HTTP-Method-Override"), st.sampled_from(("DELETE", "GET"))),
    st.tuples(
        st.sampled_from(("X-CSRFToken", "X-Request-ID", "Referer", "User-Agent", "If-Match", "Range")), ANY_VALUE
    ),
    st.tuples(
        st.sampled_from(("Daphne-Root-Path", "Script-Name", "X-Forwarded-Proto", "X-Script-Name", "Upgrade")), ANY_VALUE
    ),
    st.tuples(st.just("Sec-Fetch-Site"), st.sampled_from(("cross-site", "same-origin", "none"))),
    st.tuples(st.just("Connection"), st.sampled_from(("close", "keep-alive", "upgrade"))),
)
# Most requests have none of these: a wrong one hides the body behind its own refusal.
HEADERS = st.just([]) | st.just([]) | st.just([]) | st.just([]) | st.lists(HEADER, min_size=1, max_size=3)
QUERY = st.sampled_from(("", "", "", "?preview=1", "?preview=2&preview=1", "?%00=%ff", "?page=-1", "?" + "a=1&" * 300))


def strategy(paths: Sequence[str]) -> st.SearchStrategy[Request]:
    def made(path: str, query: str, typed: tuple[str, bytes], headers: list[tuple[str, str]]) -> Request:
        return Request("POST", path + query, (("Content-Type", typed[0]), *headers), typed[1], "bodies")

    return st.builds(made, st.sampled_from(paths), QUERY, BODY, HEADERS)


def examples(found: st.SearchStrategy[T], seed: int, number: int) -> list[T]:
    """Up to `number` examples, always the same for a seed."""
    kept: list[T] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(found)
    def keep(example: T) -> None:
        kept.append(example)

    keep()
    return kept


def requests(seed: int, paths: Sequence[str]) -> Iterator[Request]:
    found = strategy(paths)
    for number in count():
        yield from examples(found, seed * 1_000_003 + number, BATCH)
