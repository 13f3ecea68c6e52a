PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := search_spaces results trainables orchestrator
STORE ?= mmpt-store
REPORT ?= mmpt-report

.DEFAULT_GOAL := help
.PHONY: help quickstart install develop test check test-fast test-cluster test-chaos format benchmarks pictures clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "mmpt-sweep needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/developed: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

install: $(VENV)/installed ## make .venv with the pinned packages

develop: $(VENV)/developed ## the same with the tools that the checks need

quickstart: install ## train the quickstart sweep and show its tables (minutes, CPU only)
	$(BIN)/mmpt run quickstart --store $(STORE)
	$(BIN)/mmpt report --store $(STORE) --out $(REPORT) --show
	@echo "MLflow    $(BIN)/mmpt ui --store $(STORE)"

check: develop ## format, lint, types and the import chain
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## every check and every test
	$(BIN)/python -m pytest -n 2 --doctest-modules $(SOURCES) tests -m "not slow and not cluster"
	$(BIN)/python -m pytest -n 2 --dist loadfile tests -m slow --ignore=tests/e2e/test_submit.py
	$(BIN)/python -m pytest tests/e2e/test_submit.py # alone: beside other clusters its dashboard may find no agent

test-fast: develop ## only the tests without clusters, servers and browsers
	$(BIN)/python -m pytest -n 2 --doctest-modules $(SOURCES) tests -m "not slow and not cluster"

test-cluster: develop ## a sweep over three hosts, one lost, one cut off for a while (root on Linux; minutes)
	$(BIN)/python -m pytest tests/cluster -m cluster --log-cli-level=INFO

test-chaos: develop ## 20 rounds of kill -9 at the driver, a worker or the raylet, and what they cost
	MMPT_CHAOS_ROUNDS=20 $(BIN)/python -m pytest -s tests/e2e/test_chaos.py

format: develop ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmarks: develop ## measure what docs/decisions quotes
	$(BIN)/python benchmarks/stochastic_logit_fusion.py
	$(BIN)/python benchmarks/trial_overhead.py
	$(BIN)/python benchmarks/large_store.py
	$(BIN)/python benchmarks/method_cost.py
	$(BIN)/python benchmarks/masked_pass.py
	$(BIN)/python benchmarks/modality_competition.py
	$(BIN)/python benchmarks/tracking.py
	$(BIN)/python benchmarks/preparing.py
	$(BIN)/python benchmarks/data_waiting.py

pictures: develop ## take the pictures of docs/mlflow.md anew, of the newest sweep in STORE (report --track, register first)
	$(BIN)/python tests/support/mlflow_browser.py $(STORE) docs/images

clean: ## remove what the targets above made, never a store
	rm -rf $(VENV) *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis
