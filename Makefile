# Everything a newcomer needs. `make` alone lists it. Works as root and as an ordinary user, on Debian and Ubuntu.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed-run
INSTALLED_TEST := $(VENV)/.installed-test
PORTAL := $(wildcard portal/package.json)
ASSETS := $(if $(PORTAL),portal/static/build/.built)
ASSET_SOURCES := $(if $(PORTAL),$(shell find portal -type f \( -path 'portal/islands/*' -o -path 'portal/styles/*' -o -path 'portal/locale/*' -o -name '*.mjs' -o -name '*.config.js' \) -not -path '*/node_modules/*'))

# Imported once after installing, so that the first start finds bytecode and six processes do not compile it at once.
LOADED := evidence_api.embedded evidence_api.demo.story evidence_api.workers.app evidence_api.use_cases.handlers portal.app uvicorn
empty :=
space := $(empty) $(empty)
comma := ,

.PHONY: help setup setup-test run demo test check lint format types architecture bench assets lock secrets clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(ASSETS) ## Install what is needed to run
	@:

setup-test: $(INSTALLED_TEST) $(ASSETS) ## Install what is needed to test
	@.ci/system-packages all

run: setup ## Start everything with the demonstration case; Ctrl-C stops it
	@exec $(BIN)/dalel up --demo

demo: setup ## Play the whole story once, without a browser
	@exec $(BIN)/dalel demo

test: setup-test check ## All checks and all tests
	@$(BIN)/python -m pytest

check: lint types architecture ## Everything that reads the code without running it

lint: $(INSTALLED_TEST) ## Format and style
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .

types: $(INSTALLED_TEST) ## Static types
	@$(BIN)/mypy

architecture: $(INSTALLED_TEST) ## Who may import whom; one commit, one clock
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/ast-grep scan --config sgconfig.yml

format: $(INSTALLED_TEST) ## Put the code into its one format
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: $(INSTALLED_TEST) $(ASSETS) ## Benchmarks beside peers: make bench, or make bench ROOM=custody
	@$(BIN)/python -m bench $(ROOM)

assets: $(ASSETS) ## Build the portal's scripts and styles
	@:

lock: ## Choose newer packages and write them down with their hashes
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --no-dev --format requirements.txt --output-file requirements.txt
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --format requirements.txt --output-file requirements-dev.txt

secrets: $(INSTALLED) ## Make the secret files that docker-compose.yml reads (once, in secrets/)
	@$(BIN)/python -m evidence_api.stack.deployment secrets

clean: ## Remove what was installed and built; the data in .dalel stays
	@rm -rf $(VENV) build artefacts portal/node_modules portal/static/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "removed; the data in .dalel stays until you delete it yourself"

$(VENV)/.made:
	@python=$$(.ci/find-python) && echo "making $(VENV) with $$($$python --version)" && $$python -m venv --clear $(VENV)
	@printf '%s\n' '$(CURDIR)' > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dalel.pth"
	@printf '%s\n' '#!/bin/sh' 'exec "$$(dirname "$$0")/python" -c "import sys; sys.argv[0] = \"dalel\"; from evidence_api.cli import main; main()" "$$@"' > $(BIN)/dalel
	@chmod +x $(BIN)/dalel
	@touch $@

$(VENV)/.uv: $(VENV)/.made requirements-uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@touch $@

# uv is ten times faster than pip; where its settings do not fit the machine's, pip does the same.
install = echo "installing the packages of $(1)"; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
	|| { echo "uv could not; trying pip"; $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); }

$(INSTALLED): requirements.txt $(VENV)/.uv
	@.ci/system-packages ocr
	@$(call install,requirements.txt)
	@echo "compiling what every start loads"
	@PYTHONPATH=. $(BIN)/python -c "import $(subst $(space),$(comma) ,$(LOADED))"
	@touch $@

$(INSTALLED_TEST): requirements-dev.txt $(INSTALLED)
	@$(call install,requirements-dev.txt)
	@touch $@

portal/node_modules/.installed: portal/package.json portal/package-lock.json $(INSTALLED)
	@echo "installing the portal's packages"
	@cd portal && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

portal/static/build/.built: portal/node_modules/.installed $(ASSET_SOURCES)
	@echo "building the portal's scripts and styles"
	@cd portal && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
	@mkdir -p $(@D) && touch $@
