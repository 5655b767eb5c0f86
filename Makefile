# Needs git, make and Python 3.11 or newer with its venv module; everything else goes into .venv.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

DURATION ?= 60
MINUTES ?= 30
TAPE ?=
SEED ?=
SEEDS ?= 2000
FIRST ?= 0
JSON ?=
ARGS ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# The first that is new enough and can make an environment.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	$$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; \
	done)

# A stamp is named for what it vouches for: this place, the lock and the project's own metadata.
key = $(shell { pwd -P; cat $(1) pyproject.toml; } | cksum | cut -d' ' -f1)
READY := $(BIN)/.ready-$(call key,deploy/requirements.lock)
READY_DEV := $(BIN)/.dev-ready-$(call key,deploy/requirements-dev.lock)

DEMO = $(BIN)/gridmesh demo $(if $(TAPE),--tape "$(TAPE)") $(if $(SEED),--seed $(SEED)) $(if $(filter-out 0,$(JSON)),--json)

.PHONY: help setup setup-dev demo test test-long check format lock bench simulate soak clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-10s %s\n' "$$name" "$$text"; done

setup: $(READY)  ## Make .venv from the lock file, with what a run needs
	@echo ".venv is ready"

setup-dev: $(READY_DEV)  ## Add what tests and checks need
	@echo ".venv is ready for tests and checks"

demo: $(READY)  ## Trade two symbols on the simulated venue (DURATION=60 TAPE=file SEED=7 JSON=1)
	@$(DEMO) --duration $(DURATION)

# Tests go to the workers one by one, so that none is left with a long file at the end (decision 0119). Four workers a core,
# since most of these tests wait for sockets. A Ray cluster wants the machine to itself.
test: $(READY_DEV)  ## Run the tests, in less than ten minutes on two cores
	@$(BIN)/python -m pytest -n 8 --dist worksteal --ignore=tests/ray --ignore=tests/bench tests
	@$(BIN)/python -m pytest tests/ray

test-long: $(READY_DEV)  ## Run the tests that take longer: every kill under a real run, every planted bug, other examples
	@HYPOTHESIS_PROFILE=search $(BIN)/python -m pytest -n 4 tests/property
	@$(BIN)/python -m pytest -m long tests

check: $(READY_DEV)  ## Format, lint, types and import directions; changes nothing
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY_DEV)  ## Format the code and mend what lint can mend
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

lock: $(READY_DEV)  ## Write the lock files anew from pyproject.toml (ARGS=--upgrade for the newest versions)
	$(COMPILE) $(ARGS) --extra build pyproject.toml -o deploy/requirements.lock
	$(COMPILE) $(ARGS) --extra build --extra dev -c deploy/requirements.lock pyproject.toml -o deploy/requirements-dev.lock

bench: $(READY_DEV)  ## Measure; judges nothing
	@$(BIN)/python -m tests.bench $(ARGS)

simulate: $(READY_DEV)  ## Run seeded schedules against the core (SEEDS=2000 FIRST=0), or one with its trace (SEED=7)
	@SEEDS="$(SEEDS)" FIRST="$(FIRST)" SEED="$(SEED)" $(BIN)/python -m tests.simulation

soak: $(READY)  ## The demo under faults that never end; what it uses has to stay flat (MINUTES=30)
	@$(BIN)/python -m actors.trials.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(filter-out 0,$(JSON)),--json)

clean:  ## Remove .venv and everything that tools left
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed; none was found." >&2; exit 1; }
	@# an environment that was moved, or whose Python is gone, cannot be mended: its scripts name the old place
	@{ grep -qF "$$(pwd -P)/.venv/" $(BIN)/pip && $(BIN)/python -c ''; } 2>/dev/null || { rm -rf .venv && $(PYTHON) -m venv .venv; }
	@echo "Installing into .venv (a minute or two the first time)"
	@$(INSTALL) --require-hashes -r deploy/requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@rm -f $(BIN)/.ready-* && touch $@

$(READY_DEV): $(READY)
	@echo "Installing the tools of tests and checks into .venv"
	@$(INSTALL) --require-hashes -r deploy/requirements-dev.lock
	@rm -f $(BIN)/.dev-ready-* && touch $@
