# Every target works on a bare machine with Python 3.11+ and make: `.venv` is made on first use.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
SECONDS ?= 600
JOBS_SECONDS ?= 60
.DEFAULT_GOAL := help
.PHONY: help setup check test demo bench soak bugs mutate fix docs lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make the environment in .venv from the lock file

.venv/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Syncline needs Python 3.11 or newer; set PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

check: setup ## Format, lint, types, import rules, docs in step, files for deployment, known vulnerabilities: everything but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.architecture.documents --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/python -m tests.deploy.unit
	$(BIN)/python -m tests.architecture.advisories

test: setup ## All tests, in parallel, offline (ARGS="-k name" to choose)
	$(BIN)/python -m pytest -n auto $(ARGS)

demo: setup ## Two sandbox accounts, a real tracker, two-way sync: the story, end to end
	$(BIN)/syncline demo $(ARGS)

bench: setup ## Measure; prints a table and writes build/bench.json
	$(BIN)/python -m bench $(ARGS)

soak: setup ## Random worlds and planner cases on all cores for SECONDS=600, a failing one becomes a scenario file; then job workers under fire for JOBS_SECONDS=60
	$(BIN)/python -m tests.simulation.soak --seconds $(SECONDS) $(ARGS)
	$(BIN)/python -m tests.jobs.soak --seconds $(JOBS_SECONDS)

bugs: setup ## Deliberate bugs in the engine, and which of our checks catches each (ARGS="NAME… --worlds N")
	$(BIN)/python -m tests.simulation.bugs $(ARGS)

mutate: setup ## Changes core/ in small ways, and lists those that no test notices; hours (ARGS="'syncline.core.merge.*'")
	rm -rf build/mutation/src build/mutation/tests && mkdir -p build/mutation
	cp -R src tests docs pyproject.toml build/mutation/
	cd build/mutation && export PATH="$(CURDIR)/$(BIN):$$PATH" && mutmut run $(ARGS) && mutmut results

fix: setup ## Format and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## Rebuild the generated parts of the documents
	$(BIN)/python -m tests.architecture.documents

lock: ## Choose versions again (needs uv); the lock names no registry
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --group dev --all-extras pyproject.toml requirements/build.in -o requirements/dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --all-extras -c requirements/dev.lock pyproject.toml requirements/build.in -o requirements/run.lock

clean: ## Remove what the other targets made
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
