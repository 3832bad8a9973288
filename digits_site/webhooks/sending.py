"""Send one signed request, within a time limit, to an address that was checked.

The standard library's client, because a higher one resolves the name again when it connects, and has no limit for the
whole exchange.
"""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from digits_site.backends.databases import clean
from digits_site.webhooks.destinations import Destination, Refused, parse_url, resolve

KEPT_BYTES = 2048  # of an answer
KEPT_CHARACTERS = 300  # of an error, which may quote the answer
LINE_BYTES = 1000  # of a line between two chunks
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;|\r?\n)")  # RFC 9112, 7.1


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt: a status, or an error, or both."""

    seconds: float
    status: int | None = None
    body: str = ""
    error: str = ""

    @property
    def delivered(self) -> bool:
        return not self.error


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """POST and return the outcome, within WEBHOOK_TIMEOUT_SECONDS unless the resolver takes longer.

    Redirects are not followed.
    """
    began = time.monotonic()
    deadline = began + settings.WEBHOOK_TIMEOUT_SECONDS
    status, answer, error = None, b"", ""
    try:
        destination = parse_url(url)
        status, answer, location = exchange(destination, resolve(destination), deadline, body, headers)
        if 300 <= status < 400:
            error = f"Status {status}. Redirects are not followed ({describe(location, destination)})."
        elif not 200 <= status < 300:
            error = f"Status {status}."
    except ValidationError as invalid:  # the mode has changed since it was saved
        error = " ".join(invalid.messages)
    except Refused as refusal:
        error = f"Refused: {refusal}"
    except (OSError, ValueError, http.client.HTTPException) as failure:
        error = explain(failure, is_late=time.monotonic() >= deadline)
    error = "".join(letter if letter.isprintable() else " " for letter in clean(error))  # terminals show it
    return Outcome(time.monotonic() - began, status, clean(answer)[:KEPT_BYTES], error[:KEPT_CHARACTERS])


def explain(failure: Exception, is_late: bool) -> str:
    """Return a sentence for an error of the network, of TLS or of HTTP."""
    if is_late or isinstance(failure, TimeoutError):
        return f"No answer within {settings.WEBHOOK_TIMEOUT_SECONDS:g} s."
    if isinstance(failure, OSError):
        return f"{failure.strerror or failure}."
    return f"The answer is not valid HTTP: {str(failure).strip()}"


def exchange(
    destination: Destination, addresses: Sequence[str], deadline: float, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes, str]:
    """Return the status, the first bytes and the Location of the answer. Raises OSError and HTTPException."""
    with closing(connect(destination, addresses, deadline)) as sock:
        # A socket's own timeout begins again with each byte.
        timer = threading.Timer(remaining(deadline), abort, [sock])
        timer.daemon = True
        timer.start()
        try:
            connection = http.client.HTTPConnection(destination.host, destination.port)
            connection.sock = sock
            given = {**headers, "Host": destination.host_header, "Connection": "close"}
            connection.request("POST", destination.target, body, given)
            response = connection.getresponse()
            remaining(deadline)  # headers that were cut off look like whole ones
            return response.status, beginning(response), response.headers.get("Location", "")
        finally:
            timer.cancel()


def beginning(response: http.client.HTTPResponse) -> bytes:
    """Return at most KEPT_BYTES of the body, or what came of it: the status is what counts.

    Chunks are read here. http.client takes a chunk's length from the receiver as it is, and reads to the end of the
    stream, into memory, for a negative one.
    """
    answer = b""
    with suppress(OSError, http.client.HTTPException):
        if not response.chunked:
            return response.read(KEPT_BYTES)
        while len(answer) < KEPT_BYTES and (size := CHUNK.match(response.fp.readline(LINE_BYTES))):
            length = int(size[1], 16)
            if length == 0:
                break
            answer += response.fp.read(min(length, KEPT_BYTES - len(answer)))
            response.fp.readline(LINE_BYTES)  # the end of the chunk
    return answer


def describe(location: str, destination: Destination) -> str:
    """Return where a redirect leads, without its path, which may hold a key."""
    try:
        parts = urlsplit(location)
        host = parts.hostname
    except ValueError:
        return "its address is not valid"
    return f"to {parts.scheme}://{host}" if host and host != destination.host else "to another address of this host"


def connect(destination: Destination, addresses: Sequence[str], deadline: float) -> socket.socket:
    """Connect to the first of the addresses that answers. Raises OSError."""
    for address in addresses:
        try:
            sock = socket.create_connection((address, destination.port), remaining(deadline))
            break
        except OSError as error:
            failure = error
    else:
        raise failure
    sock.settimeout(remaining(deadline))
    if destination.scheme == "http":
        return sock
    try:
        return tls_context().wrap_socket(sock, server_hostname=destination.host)
    except (OSError, ValueError) as error:
        sock.close()
        raise OSError(error) from error


def remaining(deadline: float) -> float:
    """Return the seconds until the deadline. Raises TimeoutError after it."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def abort(sock: socket.socket) -> None:
    """End a read that another thread is in. The method of SSLSocket would also take that thread's TLS state away."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return a context with the system's certificate authorities, or those of SSL_CERT_FILE; loading takes 20 ms."""
    return ssl.create_default_context()
