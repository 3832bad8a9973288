"""Facts in the docs are tests: settings, make targets, URLs, events, links. Each failure says what to add or remove."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from django.urls import Resolver404, get_resolver, resolve
from django.urls.resolvers import URLPattern, URLResolver

from tests.support.settings_file import variables_in_settings
from training.live import events

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
OPERATIONS = ROOT / "docs" / "operations.md"
SECURITY = ROOT / "SECURITY.md"
PAGES = (
    *(README, ARCHITECTURE, OPERATIONS, SECURITY, ROOT / "docs" / "attack.md", ROOT / "CHANGELOG.md"),
    *filter(Path.exists, [ROOT / "CONTRIBUTING.md"]),
)
ANSWERS = {"error_frame", "ping", "pong"}  # between one client and the server: no events


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def section(page: Path, title: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    head = re.search(rf"^(#+) {re.escape(title)}\n", text_of(page), re.M)
    assert head, f"{page.name} has no section {title!r}"
    rest = text_of(page)[head.end() :]
    end = re.search(rf"^#{{1,{len(head[1])}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def first_column(table: str) -> set[str]:
    """The code words that begin the rows of a Markdown table."""
    return set(re.findall(r"^\| `([^`]+)`", table, re.M))


def assert_same(missing: set[str], extra: set[str], where: str, what: str) -> None:
    """Fail with both lists, in words that say what to do."""
    assert not missing, f"{where} does not name these {what}: {', '.join(sorted(missing))}"
    assert not extra, f"{where} names {what} that do not exist: {', '.join(sorted(extra))}"


# --- Settings ---


def test_the_readme_has_every_setting_and_no_other() -> None:
    named = first_column(section(README, "Settings"))
    real = variables_in_settings()
    assert_same(real - named, named - real, "README.md, Settings,", "environment variables")


def test_only_settings_reads_the_environment_of_the_product() -> None:
    """What README's table lists would be incomplete if another module read a variable."""
    development = ROOT / "digits_site" / "development"  # passes its own environment on to what `make run` starts
    readers = {
        str(path.relative_to(ROOT))
        for app in ("digits_site", "recognition", "training")
        for path in (ROOT / app).rglob("*.py")
        if re.search(r"os\.(getenv|environ(\.get)?[\[(])", text_of(path)) and development not in path.parents
    }
    assert readers == set(), "only settings.py reads the environment"


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate", "samples", "seed", "activate", "preset"])
def test_the_readme_has_a_runs_parameter_with_its_default(name: str) -> None:
    from training.learner.presets import PRESETS, TRAINING_DIGITS

    row = re.search(rf"^\| `{name}` \| `?([^`|]+?)`? \|", section(README, "Parameters of a run"), re.M)
    assert row, f"README.md, Parameters of a run, has no row {name}"
    fixed = {"samples": TRAINING_DIGITS, "seed": "random", "activate": "false", "preset": "original"}
    assert row[1] == str(fixed.get(name, getattr(PRESETS["original"], name, "")))


def test_the_readme_has_every_parameter_and_preset_of_a_run() -> None:
    from training.learner.presets import PRESETS
    from training.serializers import RunParameters

    part = section(README, "Parameters of a run")
    real = set(RunParameters().fields)
    assert_same(real - first_column(part), first_column(part) - real, "README.md, Parameters of a run,", "parameters")
    missing = {preset for preset in PRESETS if f"`{preset}`" not in part}
    assert_same(missing, set(), "README.md, Parameters of a run,", "presets")


def test_the_readmes_accuracy_is_the_shipped_models() -> None:
    shipped = json.loads(text_of(ROOT / "training" / "data" / "shipped" / "run.json"))["test_accuracy"]
    said = re.search(r"a model ships that reads ([\d.]+) %", text_of(README).replace("\n", " "))
    assert said, "README.md does not say how accurate the shipped model is"
    assert said[1] == f"{shipped:.2%}".rstrip("%"), "README.md: another accuracy than in shipped/run.json"


# --- Make targets ---


def make_targets() -> dict[str, bool]:
    """Targets of the Makefile, and whether `make help` lists them."""
    lines = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", text_of(ROOT / "Makefile"), re.M)
    return {name: "## " in rest for name, rest in lines}


def test_the_readme_has_every_make_target_and_no_other() -> None:
    targets = make_targets()
    assert {"run", "test", "check"} <= set(targets)
    named = {row.removeprefix("make ") for row in first_column(section(README, "Make targets"))}
    listed = {name for name, shown in targets.items() if shown}
    assert_same(listed - named, named - set(targets), "README.md, Make targets,", "make targets")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_management_command_in_the_docs_exists(page: Path) -> None:
    named = set(re.findall(r"manage\.py (\w+)", text_of(page)))
    assert_same(set(), named - set(get_commands()), page.name, "management commands")


# --- URLs ---


def patterns(resolver: URLResolver, prefix: str = "/") -> list[str]:
    """Every pattern of the project as the docs write it: `<int:pk>` is `<id>`."""
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += [] if path == "/admin/" else patterns(entry, path)
        elif isinstance(entry, URLPattern):
            found.append(re.sub(r"<(\w+:)?\w+>", "<id>", path))
    return found


def sockets() -> set[str]:
    from training.live.consumers import websocket_urlpatterns

    return {f"/{path}" for entry in websocket_urlpatterns if (path := str(entry.pattern))}


def test_every_url_of_the_product_is_in_the_readme() -> None:
    real = {*patterns(get_resolver()), *sockets()}
    assert "/api/runs/<id>/" in real
    missing = {url for url in real if not re.search(rf"[` ]{re.escape(url)}[`? ]", text_of(README))}
    assert_same(missing, set(), "README.md", "URLs")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_url_in_the_docs_leads_somewhere(page: Path) -> None:
    text = text_of(page)
    named = set(re.findall(r"`(?:[A-Z]+ )?(/(?:[\w<>-]+/?)*)", text))
    named |= {f"/{path}" for path in re.findall(r"(?:http|ws)://127\.0\.0\.1:8000/([^\s'\"?>)`]*)", text)}
    lost = {url for url in named if url not in sockets() and not leads_somewhere(re.sub("<[^>]*>", "1", url))}
    assert_same(set(), lost, page.name, "URLs")


def leads_somewhere(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def calls() -> list[tuple[str, str]]:
    """(method, URL) of every row of README's table of the API."""
    return re.findall(r"^\| `(GET|POST) ([^`]+)`", section(README, "HTTP API"), re.M)


@pytest.mark.parametrize(("method", "url"), calls())
def test_a_call_in_the_readme_takes_its_method(method: str, url: str) -> None:
    view = resolve(re.sub("<[^>]*>", "1", url)).func
    actions = getattr(view, "actions", None)  # of a viewset: {"get": "list"}
    cls = getattr(view, "cls", None)
    taken = actions if actions is not None else vars(cls) if cls is not None else {"get"}  # functions here are GET
    assert method.lower() in taken, f"README.md: {url} does not take {method}"


# --- Events ---


def documented_messages() -> set[str]:
    document = yaml.safe_load(text_of(ROOT / "docs" / "asyncapi.yaml"))
    return set(document["components"]["messages"])


def test_the_readme_and_the_asyncapi_file_name_the_same_events() -> None:
    line = re.search(r"a `snapshot` of the newest run, then\s+`([a-z ]+)`", text_of(README))
    assert line, "README.md, Watching, does not list the events"
    named = {"snapshot", *line[1].split()}
    real = documented_messages() - ANSWERS
    assert_same(real - named, named - real, "README.md, Watching,", "events")


def test_the_architecture_and_the_asyncapi_file_name_the_same_events() -> None:
    named = first_column(section(ARCHITECTURE, "The stream"))
    real = documented_messages() - ANSWERS
    assert_same(real - named, named - real, "docs/architecture.md, The stream,", "events")


def test_the_architecture_tells_persisted_events_from_passing_ones() -> None:
    passing = set(re.findall(r"^\| `(\w+)` \| the present one \|", section(ARCHITECTURE, "The stream"), re.M))
    assert passing == set(events.TRANSIENT)


# --- Links, pictures, placeholders ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    relative = {link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)}
    lost = {link for link in relative if not (page.parent / link).exists()}
    assert not lost, f"{page.name} links to what is not there: {', '.join(sorted(lost))}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_named_in_the_docs_exists(page: Path) -> None:
    """Paths in code marks that begin with a folder of the repository."""
    folders = "digits_site|recognition|training|templates|tests|docs|deploy|benchmarks"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", text_of(page)))
    lost = {name for name in named if not (ROOT / name).exists()}
    assert not lost, f"{page.name} names files that are gone: {', '.join(sorted(lost))}"


def test_every_threat_in_the_security_page_has_a_guard_and_a_test_that_exist() -> None:
    rows = re.findall(r"^\| (?!threat|---)(.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text_of(SECURITY), re.M)
    assert len(rows) >= 12
    for threat, _, where, tests in rows:
        files = re.findall(r"`([^`]+)`", where)
        assert files, f"SECURITY.md: {threat}: no file"
        assert all((ROOT / name).exists() for name in files), f"SECURITY.md: {threat}: {files}"
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        assert named, f"SECURITY.md: {threat}: no test"
        for file, test in named:
            assert f"def {test}(" in text_of(ROOT / file), f"SECURITY.md: {threat}: {file} has no {test}"


def test_a_setting_named_in_the_security_page_exists() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text_of(SECURITY)))
    assert named
    assert_same(set(), named - variables_in_settings(), "SECURITY.md", "environment variables")


def test_a_module_named_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`((?:recognition|training|digits_site)(?:\.\w+)+)`", text_of(ARCHITECTURE)))
    lost = {name for name in named if not module_exists(name)}
    assert not lost, f"architecture.md names modules that are gone: {', '.join(sorted(lost))}"


def module_exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_number_is_left_to_be_measured(page: Path) -> None:
    left = re.findall(r"<!--.*?-->", text_of(page), re.S)
    assert not left, f"{page.name}: fill in {'; '.join(left)}"
