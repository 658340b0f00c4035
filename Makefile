# Every target installs what it needs into .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench bench-quick clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

demo: .venv/.run  ## Gateway, three mock providers and sample users; Ctrl-C stops all of it
	$(BIN)/hearth demo

test: .venv/.dev tests/typescript/node_modules/.installed  ## All tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: .venv/.dev  ## Format, lint and types, without changing a file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/.dev  ## Let ruff write the format and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.bench  ## Hearth beside its peers, about 20 minutes; writes docs/benchmarks.md
	$(BIN)/python -m bench --write docs

bench-quick: .venv/.bench  ## The same tables from short measurements, about 4 minutes
	$(BIN)/python -m bench --quick

clean:  ## Remove what the targets made
	rm -rf .venv .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		tests/typescript/node_modules bench/.peers

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Hearth needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

.venv/.run: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/.dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@ .venv/.run

.venv/.bench: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable . --group bench
	@touch $@ .venv/.run

# The TypeScript SDKs of the guides; without node their tests say that they were skipped.
tests/typescript/node_modules/.installed: tests/typescript/package.json
	@if command -v npm >/dev/null; then \
		cd tests/typescript && npm install --silent --no-audit --no-fund --ignore-scripts; \
		else mkdir -p tests/typescript/node_modules; fi
	@touch $@
