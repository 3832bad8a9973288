"""Bodies and headers made up by Hypothesis, for every POST of the document: JSON, forms, multipart, anything."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import hypothesis
from hypothesis import strategies as st

from tests.support.drawings import data_url, draw, encode
from tests.support.wire import Request

T = TypeVar("T")
PNG = data_url(encode(draw(7, 28)))
BATCH = 400  # examples of one seed: Hypothesis keeps what it has made of each


def listed(text: str, between: str = " | ") -> st.SearchStrategy[str]:
    """One entry of a list; bytes that cannot be seen are written as in a URL."""
    return st.sampled_from([unquote_to_bytes(entry).decode("latin-1") for entry in text.split(between)])


BIG = st.sampled_from((0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, 5e-324, -0.0))
ODD = ("", "\0", "\ud800", "\N{RIGHT-TO-LEFT OVERRIDE}", "' OR 1=1 --", "{{7*7}}", "²", "१")
TEXT = st.text(max_size=40) | st.sampled_from(ODD)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True, allow_infinity=True) | BIG | TEXT
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=12
)
HEAD = listed("data: | data:image/png | data:image/png;base64 | DATA:;BASE64 | http://a/b |  | %20data:;base64")
URL = (
    st.just(PNG)
    | st.binary(max_size=200).map(data_url)
    | st.tuples(HEAD, st.sampled_from((",", "", ",,")), TEXT | st.just("iVBORw0KGgo=")).map("".join)
)
NAME = listed("drawing | drawings | run | epochs | batch_size | learning_rate | samples | seed | activate | preset")
NEAR = st.dictionaries(NAME | TEXT, URL | VALUE | st.lists(URL | LEAF, max_size=4), max_size=4)
DRAWN = st.fixed_dictionaries({"drawing": URL}) | st.fixed_dictionaries({"drawings": st.lists(URL, max_size=3)})

JSON = "application/json"
JSON_KIND = listed(f"{JSON} | {JSON}; charset=utf-8 | {JSON}; charset=utf-16 | {JSON}; charset=")
KIND = listed(
    "text/plain | text/plain;charset=UTF-8 |  | image/png | image/svg+xml | image/* | */* | application/xml"
    " | multipart/form-data | multipart/form-data; boundary= | multipart/mixed; boundary=b | %FF%FE"
    f" | multipart/form-data; boundary={'b' * 300} | application/x-www-form-urlencoded"
    f" | application/x-www-form-urlencoded; charset=nonsense | {JSON}; charset=%E9"
)
BROKEN = st.sampled_from(
    (b"", b"[" * 50_000, b'{"a":' * 20_000, b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b'{"drawing": NaN}', b"nul", b'"\0"')
    + (b'{"a": 1, "a": 2}', b'{"drawing": "\\ud800"}', b'{"epochs": 1e400}', b"{}{}", b"\0" * 100)
    + (b"9" * 5000, b'{"run": ' + b"9" * 4999 + b"}")
)


def dumped(value: Any) -> bytes:
    """As JSON, or as what Python takes for JSON: NaN and lone surrogates go through."""
    return json.dumps(value).encode()


def raw(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@st.composite
def multipart(draw: st.DrawFn) -> tuple[str, bytes]:
    """A form of up to five parts, each perhaps with a wrong header, and perhaps not closed."""
    mark, body = draw(listed("b | ----WebKitFormBoundary7 | - | b b")), b""
    for _ in range(draw(st.integers(0, 5))):
        name, file = draw(NAME | TEXT), draw(st.none() | TEXT)
        head = f'form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
        body += f"--{mark}\r\nContent-Disposition: {head}\r\n".encode("utf-8", "replace")
        if draw(st.booleans()):
            body += f"Content-Type: {draw(KIND)}\r\n".encode()
        if draw(st.booleans()):
            coding = draw(listed("base64 | quoted-printable | binary | nonsense | "))
            body += f"Content-Transfer-Encoding: {coding}\r\n".encode()
        body += b"\r\n" + draw(st.binary(max_size=300) | URL.map(lambda url: url.encode("utf-8", "replace"))) + b"\r\n"
    return f"multipart/form-data; boundary={mark}", body + draw(
        st.sampled_from((f"--{mark}--\r\n".encode(), b"", b"--b-"))
    )


FORM = st.dictionaries(NAME | TEXT, TEXT, max_size=5).map(
    lambda fields: "&".join(f"{k}={v}" for k, v in fields.items()).encode("utf-8", "replace")
)
BODY = st.one_of(
    st.tuples(st.just(JSON) | JSON_KIND, (NEAR | DRAWN | VALUE).map(dumped)),
    st.tuples(st.just(JSON), (NEAR | VALUE).map(raw)),
    st.tuples(JSON_KIND, BROKEN),
    st.tuples(st.just(JSON), st.tuples(DRAWN.map(dumped), st.binary(max_size=5)).map(b"".join)),
    st.tuples(KIND, st.binary(max_size=500)),
    st.tuples(st.just("application/x-www-form-urlencoded"), FORM),
    multipart(),
)

LINE = listed(
    "Accept: */* | Accept: text/html | Accept: application/json | Accept: image/*;q=0 | Accept: a/b/c | Accept: "
    " | Accept: * | Origin: null | Origin: http://localhost:3000 | Origin: http://evil.example | Origin: http://[::1"
    " | Origin: %FF | Host: localhost | Host: 127.0.0.1 | Host: evil.example | Host: [::1]:80 | Host: a b | Host: "
    " | Host: 127.0.0.1:99999 | Authorization: Token | Authorization: Token x | Authorization: Token digits_x y"
    " | Authorization: Token %FF | Authorization: Basic e30= | Authorization: Bearer x | Cookie: sessionid=x"
    f" | Cookie: csrftoken=x; sessionid=%FF | Cookie: ;;;= | Cookie: sessionid={'a' * 4000} | Content-Encoding: gzip"
    " | Content-Encoding: br | Content-Encoding: identity | X-HTTP-Method-Override: DELETE"
    " | X-HTTP-Method-Override: GET | Sec-Fetch-Site: cross-site | Sec-Fetch-Site: same-origin | Sec-Fetch-Site: none"
    " | Connection: close | Connection: keep-alive | Connection: upgrade"
)
FREE = listed(
    "Accept | X-CSRFToken | X-Request-ID | Referer | User-Agent | If-Match | Range | Daphne-Root-Path | Script-Name"
    " | X-Forwarded-Proto | X-Script-Name | Upgrade"
)
ANY_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
HEADER = LINE.map(lambda line: tuple(line.split(": ", 1))) | st.tuples(FREE, ANY_VALUE)
# Most requests have none of these: a wrong one hides the body behind its own refusal.
HEADERS = st.integers(0, 4).flatmap(lambda fifth: st.just([]) if fifth else st.lists(HEADER, min_size=1, max_size=3))
QUERY = st.sampled_from(("", "", "", "?preview=1", "?preview=2&preview=1", "?%00=%ff", "?page=-1", "?" + "a=1&" * 300))


def strategy(paths: Sequence[str]) -> st.SearchStrategy[Request]:
    def made(path: str, query: str, typed: tuple[str, bytes], headers: list[tuple[str, str]]) -> Request:
        return Request("POST", path + query, (("Content-Type", typed[0]), *headers), typed[1], "bodies")

    return st.builds(made, st.sampled_from(paths), QUERY, BODY, HEADERS)


def examples(found: st.SearchStrategy[T], seed: int, number: int) -> list[T]:
    """Up to `number` examples, always the same for a seed."""
    kept: list[T] = []
    settings = hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.seed(seed)(settings(hypothesis.given(found)(lambda example: kept.append(example))))()
    return kept


def requests(seed: int, paths: Sequence[str]) -> Iterator[Request]:
    found = strategy(paths)
    for number in count():
        yield from examples(found, seed * 1_000_003 + number, BATCH)
