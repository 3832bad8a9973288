"""Checks of the headers by which answers protect browsers."""

from digits_site.web.middleware.security_headers import STATIC_HEADERS
from tests.support.stack import Stack

HTML = {"Accept": "text/html"}


def assert_standing(headers: list[tuple[str, str]], own: str = "same-origin") -> None:
    """Check that every standing header is there exactly once."""
    for name, value in STATIC_HEADERS.items():
        found = [each for key, each in headers if key.lower() == name.lower()]
        assert found == [own if name == "Cross-Origin-Resource-Policy" else value], name


def policy_of(headers: list[tuple[str, str]]) -> str:
    """Return the one Content-Security-Policy."""
    found = [value for name, value in headers if name.lower() == "content-security-policy"]
    assert len(found) == 1
    return found[0]


def assert_strict(policy: str) -> None:
    """Check a page's policy: nothing from elsewhere, nothing inline, no frame around it."""
    rules = {words[0]: words[1:] for words in (rule.split() for rule in policy.split(";"))}
    assert rules["default-src"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:", "blob:"]
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["form-action"] == ["'self'"]
    assert rules["connect-src"][0] == "'self'"
    assert not {"script-src", "style-src"} & set(rules), "as default-src"
    assert "unsafe" not in policy


def style_sheet(stack: Stack) -> str:
    """Return the path of a static file, as the page names it."""
    page = stack.http.get("/", headers=HTML).text
    return page.split('rel="stylesheet" href="')[1].split('"')[0]
