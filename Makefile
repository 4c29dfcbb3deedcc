# Everything runs in .venv, which the first command makes. Needs Python 3.11 or newer and a network, nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# Tests wait for sockets and processes more than they compute: twice as many workers as cores is where it stops paying.
WORKERS ?= 4
# What pytest is given besides, for example PYTEST="-k relay".
PYTEST ?=

.PHONY: help demo tour test quick check format bench lock clean

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/.run  ## Run the bot on a local Slack and a local Amazon, and print where to click
	@exec $(BIN)/grantdesk demo

tour: .venv/.run  ## Play the main job from end to end over HTTP and print the conversation
	@$(BIN)/grantdesk demo --tour

test: .venv/.dev .venv/.browser  ## Run all tests: the quick ones first, then those that kill processes or drive a browser
	@$(BIN)/python -m pytest -q -n $(WORKERS) --maxschedchunk 4 $(PYTEST)

quick: .venv/.dev  ## Run the quick tests only
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not browser" $(PYTEST)

check: .venv/.dev  ## Check style, types, the direction of imports, and the articles
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/grantdesk faq check

format: .venv/.dev  ## Format the code and mend what can be mended
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

bench: .venv/.dev  ## Measure acknowledgements against a bare Bolt app (under a minute)
	@$(BIN)/python -m benchmarks.ack

lock: .venv/.dev  ## Write the lock files anew from pyproject.toml
	@$(LOCK) --upgrade --extra build pyproject.toml --output-file requirements.lock
	@$(LOCK) --upgrade --extra build --extra dev pyproject.toml --output-file requirements-dev.lock

clean:  ## Remove .venv and everything else that was made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each stamp is as new as the last time its recipe ran -------------------------------------------------------

.venv/pyvenv.cfg:
	@if [ -n "$${PYTHON:-}" ]; then set -- "$$PYTHON"; \
	else set -- python3 python3.14 python3.13 python3.12 python3.11 python; fi; \
	for python in "$$@"; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making .venv with $$("$$python" --version)"; \
	    "$$python" -m venv .venv && exit 0; \
	    rm -rf .venv; \
	    echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; \
	    exit 1; \
	  fi; \
	done; \
	echo "Grantdesk needs Python 3.11 or newer, and none was found. Install one, or say where it is:" >&2; \
	echo "  make PYTHON=/path/to/python3.12 demo" >&2; \
	exit 1

.venv/.run: .venv/pyvenv.cfg requirements.lock pyproject.toml
	@echo "Installing what Grantdesk needs"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/pyvenv.cfg requirements-dev.lock pyproject.toml
	@echo "Installing what Grantdesk and its tests need"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch .venv/.run $@

.venv/.browser: .venv/.dev
	@$(BIN)/python -m tests.chromium
	@touch $@
