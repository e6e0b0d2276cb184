# `make run` and `make test` do all set-up on a machine that has only Python and make, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check crash-all halt-all soak bench lint types contracts coverage kill-all peers lock clean

run: $(READY) ## Run the quickstart scenario
	$(BIN)/bulkhead run scenarios/quickstart.yaml --tree

test: $(READY) ## Run the test suite, taking notes of coverage
	$(BIN)/pytest -q -n auto --dist worksteal --cov --cov-report=

check: lint types contracts test coverage ## Everything CI checks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

coverage: $(READY) ## The floors of branch coverage, by the notes of the last `make test`
	$(BIN)/coverage report --include='actors/*' --fail-under=95
	$(BIN)/coverage report --include='runtime/kernel/*' --fail-under=95
	$(BIN)/coverage report --include='runtime/*' --omit='runtime/kernel/*' --fail-under=90

crash-all: $(READY) ## Crash every actor before and after each message: about an hour
	$(BIN)/python -m tests.ring.crash_points

halt-all: $(READY) ## Pull the kill switch between any two messages, with and without crashes: some minutes
	$(BIN)/python -m tests.ring.halt_points

soak: $(READY) ## Thirty virtual days of trading: fails if memory, tasks, orders or tables grow without end
	$(BIN)/python -m tests.soak 30
	$(BIN)/python -m tests.soak 30 fake

bench: $(READY) ## Speed, as ratios against floors measured in the same run
	$(BIN)/python -m tests.benchmarks

kill-all: $(READY) ## Kill a daemon 200 times with -9 and compare everybody's books (some minutes)
	for seed in 1 2 3 4; do $(BIN)/python -m tests.daemon.killing 50 $$seed || exit 1; done

peers: $(READY) ## Compare the statistics with a library of others, in an environment of its own
	$(PYTHON) -m venv .peers
	.peers/bin/pip install --quiet --disable-pip-version-check --editable '.[dev,peers]'
	.peers/bin/pytest -q tests/runtime/research/test_measures_of_peers.py

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

lock: ## Resolve pyproject.toml anew into requirements.lock (needs pip-tools)
	pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --extra dev --no-annotate --no-header \
		--no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .peers runs .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
