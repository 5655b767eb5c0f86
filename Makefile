# Needs git, make and Python 3.11 or newer with venv; everything else is installed into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

DURATION ?= 60
JSON ?=
TAPE ?=
SEED ?=

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

# A stamp is named for what it vouches for: the place, the lock and the project's own metadata.
key = $(shell { pwd; cat $(1) pyproject.toml; } | cksum | cut -d' ' -f1)
READY := $(BIN)/.ready-$(call key,deploy/requirements.lock)
READY_DEV := $(BIN)/.ready-dev-$(call key,deploy/requirements-dev.lock)

.PHONY: help setup setup-dev demo test check format lock bench simulate soak clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

setup: $(READY)  ## Make .venv with what a run needs, from the lock file

setup-dev: $(READY_DEV)  ## Add what tests and checks need

$(READY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer, with its venv module, is needed; none was found." >&2; exit 1; }
	@# a .venv that was moved here, or whose Python is gone, cannot be mended: its scripts name the old place
	@$(BIN)/python -c 'import os, sys; sys.exit(os.path.realpath(sys.prefix) != os.path.realpath(".venv"))' 2>/dev/null \
		|| { rm -rf .venv && $(PYTHON) -m venv .venv; }
	$(INSTALL) --require-hashes -r deploy/requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@rm -f $(BIN)/.ready-[0-9]* && touch $@

$(READY_DEV): $(READY)
	$(INSTALL) --require-hashes -r deploy/requirements-dev.lock
	@rm -f $(BIN)/.ready-dev-* && touch $@
