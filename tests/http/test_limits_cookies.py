"""A public site's cookies: of this host alone, over HTTPS alone."""

from pathlib import Path
from shutil import copytree

from tests.support.prepared import prepared
from tests.support.security_headers import assert_standing, assert_strict
from tests.support.subprocesses import run_python

SIGN_IN = """
from django.core.management import call_command
from django.contrib.auth.models import User
call_command("migrate", verbosity=0)
User.objects.create_superuser("ada", password="a long enough password")
browser = Client(enforce_csrf_checks=True, HTTP_HOST="digits.example.org", HTTP_ACCEPT="text/html")
plain = browser.get("/admin/login/")
https = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_ORIGIN": "https://digits.example.org"}
form = browser.get("/admin/login/", **https)
token = form.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
fields = {"username": "ada", "password": "a long enough password", "csrfmiddlewaretoken": token}
signed_in = browser.post("/admin/login/?next=/admin/", fields, **https)
index = browser.get("/admin/", **https)
print(json.dumps({
    "plain": [plain.status_code, plain.headers.get("Location"), dict(plain.items())],
    "form": dict(form.items()), "signed_in": signed_in.status_code, "index": index.status_code,
    "cookies": {name: {k: v for k, v in morsel.items() if v} for name, morsel in browser.cookies.items()},
}))
"""


def test_its_cookies_are_of_this_host_over_https_and_the_session_not_for_scripts(tmp_path: Path) -> None:
    """What a browser sees that signs in to a public site; Redis is away."""
    copytree(prepared()[0], tmp_path, dirs_exist_ok=True)  # with the static files
    seen = run_python(
        SIGN_IN, tmp_path, DIGITS_MODE="public", SECRET_KEY="0123456789abcdef" * 4, ALLOWED_HOSTS="digits.example.org",
        TRUSTED_ORIGINS="https://digits.example.org", REDIS_URL="redis://:password@127.0.0.1:1/0",
        DATABASE_URL=f"sqlite:///{tmp_path}/digits.sqlite3",
    )  # fmt: skip
    status, location, headers = seen["plain"]
    assert (status, location) == (301, "https://digits.example.org/admin/login/")
    assert_standing(list(headers.items()))
    assert seen["form"]["Strict-Transport-Security"].startswith("max-age=31536000")
    assert_strict(seen["form"]["Content-Security-Policy"])
    assert (seen["signed_in"], seen["index"]) == (302, 200)
    session = seen["cookies"]["__Host-sessionid"]
    assert seen["cookies"].keys() == {"__Host-sessionid", "__Host-csrftoken"}
    for morsel in seen["cookies"].values():
        assert (morsel["secure"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
        assert "domain" not in morsel
    assert session["httponly"] is True
