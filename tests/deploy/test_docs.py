"""Facts in the documents are tests: settings, make targets, URLs, events, admin actions, files, length.

Each failure says what to add or remove.
"""

import ast
import importlib.util
import json
import re
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from django.test import Client
from django.urls import get_resolver, is_valid_path, resolve
from django.urls.resolvers import URLPattern, URLResolver

from tests.support.access.routes import routes
from tests.support.settings_file import variables_in_settings
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.live import events
from training.live.consumers import websocket_urlpatterns
from training.parameters.description import RunDescription
from training.parameters.requests import StartParameters

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
APPS = ("digits_site", "recognition", "training")
DATA = [ROOT / "training" / "data" / "README.md", ROOT / "benchmarks" / "data" / "README.md"]
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DATA])
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
README_LINES, ALL_WORDS, CELL_WORDS = 130, 15_000, 12
ANSWERS = {"error_frame", "ping", "pong"}  # between one client and the server: no events


def text_of(name: str | Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, title: str) -> str:
    """Return the text under a heading, up to the next one of its level or above."""
    head = re.search(rf"^(#+) {re.escape(title)}\n", text_of(page), re.M)
    assert head, f"{page} has no section {title!r}"
    rest = text_of(page)[head.end() :]
    end = re.search(rf"^#{{1,{len(head[1])}}} ", rest, re.M)
    return rest[: end.start()] if end else rest


def first_column(table: str) -> set[str]:
    """Return the code words that begin the rows of a Markdown table."""
    return set(re.findall(r"^\| `([^`]+)`", table, re.M))


def assert_exist(named: set[str], real: set[str], where: str, what: str) -> None:
    assert not named - real, f"{where} names {what} that do not exist: {', '.join(sorted(named - real))}"


def assert_same(named: set[str], real: set[str], where: str, what: str) -> None:
    """Fail with the differences, in words that say what to do."""
    assert not real - named, f"{where} does not name these {what}: {', '.join(sorted(real - named))}"
    assert_exist(named, real, where, what)


# --- Length ---


def test_the_readme_and_all_documents_are_short() -> None:
    """The changelog grows with every release, so it does not count."""
    lines = len(text_of("README.md").splitlines())
    assert lines <= README_LINES, f"README.md has {lines} lines"
    words = {str(page.relative_to(ROOT)): len(text_of(page).split()) for page in PAGES if page.name != "CHANGELOG.md"}
    assert sum(words.values()) <= ALL_WORDS, f"{sum(words.values())} words: {words}"


@each_page
def test_a_table_cell_holds_a_dozen_words_and_no_comment_is_left(page: Path) -> None:
    cells = [cell.strip() for row in re.findall(r"^\|.*\|$", text_of(page), re.M) for cell in row.split("|")]
    assert [cell for cell in cells if len(cell.split()) > CELL_WORDS] == [], "make sentences of these cells"
    assert "<!--" not in text_of(page)


# --- Settings ---


def described_variables() -> dict[str, tuple[str, str, str]]:
    """Return what .env.example says of each variable: default, default in public mode, first sentence."""
    found = {}
    for comment, name, default in re.findall(r"((?:^# .*\n)+)^#([A-Z_]+)=(.*)\n", text_of(".env.example"), re.M):
        text = re.sub(r"\n?# ", " ", re.sub(r"# ---.*\n", "", comment)).strip()
        public, meaning = re.search(r"Public mode: (\S+)\.(?: |$)", text), re.match(r"(.+?)\.(?: |$)", text)
        assert meaning, f".env.example says nothing of {name}"
        found[name] = (default, public[1] if public else default, meaning[1])
    return found


def test_the_settings_page_has_the_rows_of_env_example() -> None:
    rows = {}
    for name, (default, public, meaning) in described_variables().items():
        cells = [f"`{default}`" if default else "", f"`{public}`" if public != default else "", meaning]
        rows[f"| `{name}` | {' | '.join(cells)} |"] = name
    written = section("docs/settings.md", "Variables")
    missing = "\n".join(row for row in rows if row not in written)
    assert not missing, f"docs/settings.md, Variables, lacks these rows:\n{missing}"
    assert_same(first_column(written), set(rows.values()), "docs/settings.md, Variables,", "environment variables")


@pytest.mark.parametrize("local", [True, False], ids=["local", "public"])
def test_env_example_names_the_defaults_of_settings(local: bool) -> None:
    """Defaults that are computed (paths, cores, keys) are not compared."""
    described = described_variables()
    assert_same(set(described), set(variables_in_settings()), ".env.example", "environment variables")
    wrong = {}
    for name, expression in variables_in_settings().items():
        try:
            real = eval(compile(ast.Expression(expression), name, "eval"), {"__builtins__": {}, "LOCAL": local})
        except (NameError, TypeError):
            continue
        text = ",".join(real) if isinstance(real, list) else str(real).lower() if isinstance(real, bool) else str(real)
        said = described[name][0 if local else 1].replace("none", "")
        if said != text.removesuffix(".0") and text != "None":
            wrong[name] = f"{said}, not {text}"
    assert not wrong, f".env.example has other defaults than settings.py: {wrong}"


def test_only_settings_reads_the_environment_of_the_product() -> None:
    """The table of settings would be incomplete if another module read a variable."""
    starters = {"development", "management"}  # pass it on to what they start
    modules = [path for app in APPS for path in (ROOT / app).rglob("*.py") if starters.isdisjoint(path.parts)]
    assert [path for path in modules if re.search(r"os\.(getenv|environ(\.get)?[\[(])", text_of(path))] == []


@each_page
def test_a_setting_named_in_the_docs_exists(page: Path) -> None:
    """Decisions name what was rejected too."""
    if page.name == "decisions.md":
        return
    elsewhere = {"DRILL_ARGS", "FUZZ_ARGS", "LOCK_ARGS", "PYTEST_ARGS", "TRAIN_ARGS", "SERVER_NAMES", "TLS_DIR"}
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text_of(page)))
    assert_exist(named, set(variables_in_settings()) | elsewhere, page.name, "environment variables")


# --- Runs and models ---


def test_the_api_page_has_a_runs_parameters_with_their_defaults() -> None:
    table = section("docs/api.md", "Parameters of a run")
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", table, re.M))
    values = asdict(PRESETS["original"]) | {"samples": TRAINING_DIGITS, "seed": "random", "activate": "false"}
    values |= {
        "corrections_of": "none",
        "from_run": "none",
        "queue": "false",
        "validation_samples": PRESETS["original"].held_back,
    }
    values |= dict.fromkeys(RunDescription().fields, "none")
    assert rows == {str(name): str(values.get(str(name), "original")) for name in StartParameters().fields}


def test_the_training_page_has_every_preset() -> None:
    assert_same(first_column(section("docs/training.md", "Presets")), set(PRESETS), "docs/training.md", "presets")
    parameters = section("docs/api.md", "Parameters of a run")
    assert [preset for preset in PRESETS if f"`{preset}`" not in parameters] == []


def test_the_readmes_accuracy_is_the_shipped_models() -> None:
    shipped = json.loads(text_of("training/data/shipped/run.json"))["test_accuracy"]
    said = re.search(r"[Aa]\s+model\s+ships\s+that\s+reads\s+([\d.]+) %", text_of("README.md"))
    assert said, "README.md does not say how accurate the shipped model is"
    assert said[1] == f"{shipped:.2%}".rstrip("%"), "README.md: another accuracy than in shipped/run.json"


def test_the_readmes_example_is_answered_as_it_stands_there(shipped: None) -> None:
    found = re.search(r"api/drawing/ .*-d '(.*)'\n# (\{.*\})\n", text_of("README.md"))
    assert found
    answer = Client(HTTP_HOST="localhost").post("/api/drawing/", found[1], content_type="application/json").json()
    numbers = {"probabilities": ["…"], "model": 1}  # the model's counts those before it in this database
    assert answer | numbers == json.loads(found[2].replace("[…]", '["…"]'))


# --- Commands ---


def test_the_contributors_page_has_every_make_target_and_no_other() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = {row.removeprefix("make ") for row in first_column(section("CONTRIBUTING.md", "Make targets"))}
    assert_same(named, set(re.findall(r"^  make ([a-z-]+)", listed, re.M)), "CONTRIBUTING.md", "make targets")


@each_page
def test_a_command_in_the_docs_exists(page: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", text_of(page)))
    assert_exist(named, set(get_commands()), page.name, "management commands")
    modules = set(re.findall(r"python -m ((?:benchmarks|tests)[\w.]*)", text_of(page)))
    assert_exist(modules, {name for name in modules if importlib.util.find_spec(name)}, page.name, "modules")
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    named = set(re.findall(r"(?:`|^\s*)(?:[A-Z_]+=\S+ )*make ([a-z-]+)", text_of(page), re.M))
    assert_exist(named, targets, page.name, "make targets")


# --- URLs ---


def patterns(resolver: URLResolver, prefix: str = "/") -> list[str]:
    """Return every pattern of the project as the docs write it: `<int:pk>` is `<id>`."""
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += [] if path == "/admin/" else patterns(entry, path)
        elif isinstance(entry, URLPattern):
            found.append(re.sub(r"<(\w+:)?\w+>", "<id>", path))
    return found


def sockets() -> set[str]:
    return {f"/{path}" for entry in websocket_urlpatterns if (path := str(entry.pattern))}


def calls() -> list[tuple[str, str]]:
    """Return (method, URL) of every row of the table of the API."""
    return re.findall(r"^\| `([A-Z]+) ([^`]+)`", section("docs/api.md", "HTTP API"), re.M)


def test_every_url_of_the_product_is_in_the_api_page() -> None:
    assert_same({url for _, url in calls()}, set(patterns(get_resolver())), "docs/api.md, HTTP API,", "URLs")
    missing = {url for url in sockets() if f"`{url}`" not in section("docs/api.md", "Watching")}
    assert not missing, f"docs/api.md, Watching, does not name {missing}"


@pytest.mark.parametrize(("method", "url"), calls())
def test_a_call_in_the_docs_takes_its_method(method: str, url: str) -> None:
    view = resolve(re.sub("<[^>]*>", "1", url)).func
    # A viewset has actions, {"get": "list"}; functions here are GET; pages that are classes list their methods.
    listed = getattr(getattr(view, "view_class", None), "http_method_names", {"get"})
    taken = getattr(view, "actions", None) or (vars(view.cls) if hasattr(view, "cls") else listed)
    assert method.lower() in taken, f"docs/api.md: {url} does not take {method}"


@each_page
def test_every_url_in_the_docs_leads_somewhere(page: Path) -> None:
    named = set(re.findall(r"`(?:[A-Z]+ )?(/(?:[\w<>-]+/?)*)", text_of(page))) - {"/api/"}
    named |= {f"/{path}" for path in re.findall(r"(?:http|ws)://127\.0\.0\.1:8000/([^\s'\"?>)`]*)", text_of(page))}
    assert_exist(
        named,
        {url for url in named if url in sockets() or is_valid_path(re.sub("<[^>]*>", "1", url))},
        page.name,
        "URLs",
    )


def test_the_access_page_has_every_admin_action() -> None:
    real = {name for route in routes() for name in re.findall(r"(?:action=|/act/)(\w+)|/(roll-back)/", route)}
    named = first_column(section("docs/access.md", "Permissions"))
    assert_same(named, {"".join(name) for name in real}, "docs/access.md, Permissions,", "admin actions")


# --- Events ---


def test_the_pages_and_the_asyncapi_file_name_the_same_events() -> None:
    real = set(yaml.safe_load(text_of("docs/asyncapi.yaml"))["components"]["messages"]) - ANSWERS
    table = section("docs/architecture.md", "How a viewer gets what it missed")
    assert_same(first_column(table), real, "docs/architecture.md", "events")
    passing = set(re.findall(r"^\| `(\w+)` \| current \|", table, re.M))
    assert passing == set(events.TRANSIENT), "docs/architecture.md: which events are not persisted?"
    line = re.search(r"a `snapshot` of the newest run, then\s+`([a-z\s]+)`", text_of("docs/api.md"))
    assert line, "docs/api.md, Watching, does not list the events"
    assert_same({"snapshot", *line[1].split()}, real, "docs/api.md, Watching,", "events")


# --- Links, files, security ---


@each_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    links = {link for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)) if not re.match(r"[a-z]+:", link)}
    assert_exist(links, {link for link in links if leads_somewhere(page, *link.split("#"))}, page.name, "link targets")


def leads_somewhere(page: Path, path: str, heading: str = "") -> bool:
    """Whether there is such a file, and such a heading by the name that GitHub gives it."""
    target = page.parent / path if path else page
    if not heading or not target.exists():
        return target.exists()
    titles = re.findall(r"^#+ (.+)$", text_of(target), re.M)
    return heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_a_file_named_in_the_docs_exists(page: Path) -> None:
    """Paths in code marks that begin with a folder of the repository."""
    folders = "digits_site|recognition|training|templates|tests|docs|deploy|benchmarks"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", text_of(page)))
    assert_exist(named, {name for name in named if (ROOT / name).exists()}, page.name, "files")


def test_the_map_names_every_folder() -> None:
    """A folder of commands, formats, migrations or template tags belongs to the one above."""
    below = {"management", "formats", "migrations", "templatetags"}
    folders = {path.parent for app in APPS for path in (ROOT / app).rglob("*.py")}
    real = {f"{folder.relative_to(ROOT)}/" for folder in folders if not below & set(folder.parts)}
    named = {name for name in first_column(section("docs/architecture.md", "Map")) if name.startswith(APPS)}
    assert_same(named - {"training/data/"}, real, "docs/architecture.md, Map,", "folders")


def test_every_threat_in_the_security_page_has_a_guard_and_a_test_that_exist() -> None:
    rows = re.findall(r"^\| (?!threat|---)(.+?) \| (.+?) \| (.+?) \| (.+?) \|$", section("SECURITY.md", "Guards"), re.M)
    assert len(rows) >= 12
    for threat, _, where, tests in rows:
        files = re.findall(r"`([^`]+)`", where)
        assert files, f"SECURITY.md: {threat}: no file"
        assert all((ROOT / name).exists() for name in files), f"SECURITY.md: {threat}: {files}"
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
        assert named, f"SECURITY.md: {threat}: no test"
        for file, test in named:
            assert f"def {test}(" in text_of(file), f"SECURITY.md: {threat}: {file} has no {test}"
