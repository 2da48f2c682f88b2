# Glasshouse. `make demo` runs it, `make test` tests it; each does its own set-up on a fresh Debian or Ubuntu machine.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
RUNTIME_STAMP := $(VENV)/.runtime
DEV_STAMP := $(VENV)/.development
SCAN_STAMP := .tools/scan/.installed
TEST_WORKERS ?= 2
export PYTHONWARNINGS ?= ignore

.PHONY: help demo test soak bench check scan assets lock format messages screenshots gallery clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/bin/python:
	@scripts/make-venv $(VENV)

$(RUNTIME_STAMP): requirements.txt | $(VENV)/bin/python
	@echo "Installing what the portal needs (requirements.txt, checked by hash) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUNTIME_STAMP)
	@echo "Installing what the tests and checks need (requirements-dev.txt, checked by hash) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

assets: $(RUNTIME_STAMP) ## Compile style sheets, scripts, fonts and translations
	@$(BIN)/python -m frontend.build

demo: assets ## Run the demonstration on http://127.0.0.1:5000 (PORT=…)
	@$(BIN)/python -m portal demo --port $(PORT)

test: $(DEV_STAMP) assets ## Run every test: unit, PostgreSQL, faults, browser
	@scripts/ensure-chromium
	@scripts/ensure-softhsm
	@scripts/ensure-redis
	@scripts/ensure-nginx
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup

soak: $(DEV_STAMP) ## The fault tests at length: hundreds of kills on both databases (SOAK_ROUNDS=300)
	@SOAK_ROUNDS=$${SOAK_ROUNDS:-300} SOAK_DISK_CALLS=$${SOAK_DISK_CALLS:-400} $(BIN)/python -m pytest tests/faults -n $(TEST_WORKERS) --dist loadgroup --timeout 3600

bench: $(DEV_STAMP) ## Measure the audit log beside its peers (benchmarks/results/)
	@$(BIN)/python -m benchmarks.audit

check: $(DEV_STAMP) ## The fast gate: lint, format, types, floors
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

$(SCAN_STAMP): requirements-scan.txt $(RUNTIME_STAMP)
	@echo "Installing the scanners (requirements-scan.txt, checked by hash) …"
	@scripts/make-venv .tools/scan
	@.tools/scan/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-scan.txt
	@touch $@

scan: $(SCAN_STAMP) assets ## Scan the running portal as each role (an hour; SCAN_SECONDS=… bounds each scanner)
	@$(BIN)/python -u scripts/scan.py $(SCAN_ROLES)

format: $(DEV_STAMP) ## Put the code into its one format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

messages: $(DEV_STAMP) ## Collect the texts of the pages anew for the translators
	@$(BIN)/pybabel -q extract -F portal/translations/babel.cfg -k _l -k _ -k ngettext:1,2 --no-location --sort-output \
	  --omit-header -o portal/translations/messages.pot portal
	@$(BIN)/pybabel -q update -i portal/translations/messages.pot -d portal/translations --no-fuzzy-matching \
	  --ignore-pot-creation-date

screenshots: $(DEV_STAMP) assets ## Take the pictures of docs/images again
	@scripts/ensure-chromium
	@$(BIN)/python -m scripts.screenshots

gallery: $(DEV_STAMP) assets ## Take the picture of each page at both widths again (docs/gallery.md)
	@scripts/ensure-chromium
	@$(BIN)/python -m scripts.gallery

lock: $(DEV_STAMP) ## Write requirements*.txt anew from requirements*.in
	@for name in requirements requirements-dev requirements-scan; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links $$name.in -o $$name.txt || exit 1; done

clean: ## Remove what was built (keeps var/, the demonstration's data)
	@rm -rf $(VENV) node_modules portal/static/build .tools
