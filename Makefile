# The commands of this project. `make` alone lists them.
# Everything is set up in .venv and node_modules of this folder; no step needs git.

.DEFAULT_GOAL := help
SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Where somebody has forbidden Python to keep what it compiles, each of the hundreds of processes of a
# test run would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

# The first of these that is Python 3.11 or newer; name another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Tests wait for processes of theirs half of the time, so there is one worker more than cores.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)

.PHONY: help setup run demo test test-py test-js test-ui soak lint format schema clean

help: ## list these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## set up everything (seconds when nothing changed)
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found." >&2; \
	  echo "  Debian/Ubuntu: apt-get install -y python3 python3-venv, or make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) scripts/setup.py

run: setup ## set up, run the demo on the embedded engine, open JupyterLab
	@.venv/bin/python scripts/run.py

demo: setup ## deploy, start, ask, stop and undeploy examples/digits
	@.venv/bin/python scripts/demo.py

test: setup test-py test-js test-ui ## set up and run all tests but the long ones

test-py:
	.venv/bin/python -m pytest -q -m "not soak" -n $(WORKERS) --dist loadfile

test-js:
	jlpm test

test-ui:
	.venv/bin/python scripts/ui_tests.py

soak: setup ## long tests, properties in depth, contract suite and short soaks ten times (< 30 min)
	.venv/bin/python -m pytest -q -m soak --timeout 3600 -rP
	EDI_EXAMPLES=10 .venv/bin/python -m pytest -q -m "hypothesis and not soak" --timeout 3600 \
	  -n $(WORKERS) --dist load
	@for number in 1 2 3 4 5 6 7 8 9 10; do \
	  echo "repeat $$number of 10"; \
	  .venv/bin/python -m pytest -q -m "not soak" -n $(WORKERS) --dist loadfile \
	    tests/contract tests/soak || exit 1; \
	done

lint: setup ## ruff, mypy, eslint, prettier, stylelint, schema drift
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python scripts/generate_schema.py --check
	jlpm lint:check

format: setup ## let the formatters write
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	jlpm lint

schema: setup ## regenerate src/_schema.ts from the Python models
	.venv/bin/python scripts/generate_schema.py
	jlpm build:schema

clean: ## remove what setup and builds made
	rm -rf .venv node_modules ui-tests/node_modules lib edi_labext/labextension dist \
	  tsconfig.tsbuildinfo .pytest_cache .mypy_cache .ruff_cache .hypothesis coverage .scratch
