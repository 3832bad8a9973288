"""A superuser who signs in to the admin in a real browser: fixtures for pages of the admin."""

import pytest
from playwright.sync_api import expect

NAME, PASSWORD = "operator", "a long enough password"
MAKE = f"""
from django.contrib.auth.models import User
User.objects.filter(username="{NAME}").exists() or User.objects.create_superuser("{NAME}", password="{PASSWORD}")
"""


def create_token(stack, name, *scopes):
    """Make an access token of the superuser's, and return it."""
    stack.manage("shell", "-c", MAKE)
    options = [word for scope in scopes for word in ("--scope", scope)]
    return stack.manage("create_token", NAME, "--name", name, *options).strip()


def sign_in(page):
    """Fill in the form on which an admin page has ended, and wait until it is gone."""
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.fixture(name="account", scope="module")
def make_account(shared_stack):
    shared_stack.manage("shell", "-c", MAKE)


@pytest.fixture(name="operator")
def as_operator(visits, account):
    """A function that opens an admin page for somebody who may do everything."""

    def open_page(path="", **options):
        page = visits.open(f"/admin/{path}", locale="en-GB", **options)
        if page.get_by_label("Password").is_visible():
            sign_in(page)
            expect(page).to_have_url(f"{visits.url}/admin/{path}")
        return page

    return open_page
