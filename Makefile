# Everything a reader of this repository needs, one word each: `make help`.
# A machine needs Python 3.11 or newer and make; nothing else.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help

# The first Python that is new enough; asked for only when .venv is made.
PYTHON ?= $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done),python3)
PORT ?=
DEMO ?=
RUN := .venv/bin

export PORT DEMO
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Empty is as if unset: every start would compile all modules again where a machine forbids to keep them.
export PYTHONDONTWRITEBYTECODE :=
export REFLEX_TELEMETRY_ENABLED := false

# Two cores have time for a third process that waits for disks, servers and pages. Of the browser tests each process has a
# console of its own, so that no story meets another one's organizations; a file's stories stay together, in order.
TEST_PROCESSES ?= 3
BROWSER_PROCESSES ?= 3
# Where browser tests may be: looking for them in every folder takes each process ten seconds.
# The longest files first, so that no process is left alone with one at the end.
BROWSER_TESTS := tests/platform tests/browser tests/fake_stripe
# either: what is not about databases meets one of them (decision 14); both: everything meets both, as CI does.
DATABASES ?= either
LOCK := $(RUN)/uv pip compile pyproject.toml packages/fake_stripe/pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-strip-extras --group build

define NEEDS_PYTHON
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	found=$$($(PYTHON) --version 2>&1) || found="none"; \
	echo "Python 3.11 or newer is needed, found: $$found. Install it, or name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
	exit 2; }
endef

define MAKES_VENV
test -x .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 || { \
	echo "Creating .venv"; \
	$(PYTHON) -m venv --clear .venv || { \
	echo "Python could not create .venv: on Debian and Ubuntu install python3-venv; look at the lines above for the rest." >&2; \
	exit 2; }; }
endef

define FAILED_INSTALL
{ echo "The dependencies could not be installed: look at pip's last lines above (network, disk space), then run make again." >&2; exit 2; }
endef

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

# ---------------------------------------------------------------------------------------------------- run

.PHONY: run
run: .venv/.runtime ## start everything at http://127.0.0.1:3000 (PORT=3100 elsewhere, DEMO=0 without demo data)
	@exec $(RUN)/billing run

.PHONY: reset-demo
reset-demo: .venv/.runtime ## forget the demo's data and its fake Stripe's; the next `make run` tells the story anew
	@$(RUN)/billing demo reset

.PHONY: dev
dev: .venv/.development ## the same as run, rebuilt and reloaded when a file changes
	@exec $(RUN)/billing run --reload

# -------------------------------------------------------------------------------------------------- set up

.PHONY: setup
setup: .venv/.development ## install everything for development into .venv

# The locks hold everything that everything needs, so nothing is resolved here: pip takes each line as it stands
# (--no-deps). Older ones would look at a newer release of whatever is asked for with an extra, and refuse it.
.venv/.runtime: requirements.lock pyproject.toml packages/fake_stripe/pyproject.toml
	@$(NEEDS_PYTHON)
	@$(MAKES_VENV)
	@echo "Installing the locked dependencies: a minute or two, and about 600 MB on disk"
	@.venv/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements.lock || $(FAILED_INSTALL)
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable packages/fake_stripe --editable . || $(FAILED_INSTALL)
	@touch $@

.venv/.development: .venv/.runtime requirements-dev.lock
	@echo "Installing the locked dependencies for development"
	@.venv/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-dev.lock || $(FAILED_INSTALL)
	@touch $@

.PHONY: lock
lock: .venv/.development ## pin the newest versions that pyproject.toml allows
	@.venv/bin/python -m pip install --quiet uv
	$(LOCK) --upgrade --output-file requirements.lock
	$(LOCK) --upgrade --group dev --constraint requirements.lock --output-file requirements-dev.lock

.PHONY: migration
migration: .venv/.development ## write a migration for changed tables: make migration MESSAGE="Add notes"
	@mkdir -p var && rm -f var/draft.db*
	@export BILLING_DATABASE_URL=sqlite:///var/draft.db && \
	$(RUN)/alembic upgrade head && \
	$(RUN)/alembic revision --autogenerate --message "$(MESSAGE)" \
		--rev-id "$$(printf '%04d' "$$(($$(ls migrations/versions/*.py | wc -l) + 1))")"
	@rm -f var/draft.db*

# --------------------------------------------------------------------------------------------------- check

.PHONY: check
check: .venv/.development ## lint, arrows between modules, types
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/lint-imports
	$(RUN)/pytest --quiet tests/house/test_architecture.py
	$(RUN)/ty check

.PHONY: test
test: check ## check, then every test: on SQLite or PostgreSQL (DATABASES=both: on both), and in a browser
	$(RUN)/pytest -m "not browser and not long" -n $(TEST_PROCESSES) --dist worksteal --database $(DATABASES)
	$(RUN)/pytest -m "browser and not long" -n $(BROWSER_PROCESSES) --dist loadfile --no-loadscope-reorder $(BROWSER_TESTS)

.PHONY: test-long
test-long: check ## the same on both with the full number of examples
	$(RUN)/pytest -m "not browser" -n $(TEST_PROCESSES) --dist worksteal --hypothesis-profile long
	$(RUN)/pytest -m browser -n $(BROWSER_PROCESSES) --dist loadfile --no-loadscope-reorder $(BROWSER_TESTS)

.PHONY: bench
bench: .venv/.development ## measure against limits on this machine; WORK=recount: that row alone (docs/performance.md)
	$(RUN)/python -m benchmarks $(WORK)
