# `make help` lists what there is. Every target sets up what it needs.
SHELL := /bin/sh
BIN := .venv/bin
export PYTHONPATH := layers/scheduling:sdk:.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
# Not even where the environment forbids it: the tests start some hundred processes.
export PYTHONDONTWRITEBYTECODE :=
export SAM_CLI_TELEMETRY := 0
ARCHITECTURE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Make .venv with the locked dependencies
	@scripts/setup.sh

sample: setup ## Build the sample extension to a WASM component
	@$(BIN)/python -m samples.build

local: setup sample ## Run the whole stack on 127.0.0.1 until Ctrl-C
	@$(BIN)/python -m local

demo: setup sample ## Run the main job once: set up, travel an hour, show the runs
	@$(BIN)/python -m local.demo

test: setup sample ## Run the tests, those of the whole stack first
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

properties: setup ## Run the property tests at length
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 2 tests/properties

sam-build: setup ## Build layer and functions for this machine's processor into build/sam; BOTOCORE=whole for FIPS
	@scripts/setup_sam.sh
	@build/sam-venv/bin/sam build --build-dir build/sam --parameter-overrides Architecture=$(ARCHITECTURE)

sam-test: setup ## Test what is built in containers, by the SAM CLI; needs Docker
	@scripts/sam_engine.sh $(ARCHITECTURE)
	@$(MAKE) --no-print-directory sam-build
	@$(BIN)/python -m pytest --sam -n 2 --dist loadgroup tests/sam tests/e2e

crashes: setup ## Write and print the table of what is left of an operation that is stopped
	@$(BIN)/python -m tests.support.crash_table 2>build/crashes.log

admin: setup ## Look after a deployed or local stack: make admin ARGS="schedules --tenant acme"
	@$(BIN)/python -m scheduling_admin $(ARGS)

tell-again: setup ## Tell of changes that the audit gave up: make tell-again QUEUE=<url> FUNCTION=<name of the audit function>
	@$(BIN)/python -m scripts.tell_again --queue-url "$(QUEUE)" --function-name "$(FUNCTION)"

bench: sam-build ## Measure what is built beside raw botocore and what else one would use: bench/results.md, a quarter of an hour
	@$(BIN)/python -m bench

bench-gate: sam-build ## Measure what the gates need, and fail where one does not hold
	@$(BIN)/python -m bench --gate

bench-scale: setup ## What becomes of 10 million schedules at the top of the hour: table and docs/scale.svg
	@$(BIN)/python -m bench.scale

docs: setup ## Write the table of permissions anew from template.yaml
	@$(BIN)/python -m scripts.iam_table

lint: setup ## Check format, style, types, import rules and the template
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy layers/scheduling/scheduling runner sdk local scheduling_admin samples/build.py scripts bench tests
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint template.yaml

check: lint test ## Everything that must pass before a commit

format: setup ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## Resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements.lock
	@mkdir -p build
	@sed 's/ \\$$//' requirements.lock | grep == >build/constraints.txt
	@$(BIN)/uv pip compile --quiet pyproject.toml --python-version 3.13 --python-platform linux -c build/constraints.txt \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o layers/scheduling/requirements.txt
	@$(BIN)/uv pip compile --quiet tests/sam/requirements.in --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o tests/sam/requirements.lock
	@$(BIN)/uv pip compile --quiet bench/peers/requirements.in --python-version 3.13 --python-platform linux \
	    -c build/constraints.txt --no-emit-package boto3 --no-emit-package botocore \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o bench/peers/requirements.lock

clean: ## Remove what was built
	@rm -rf .venv build .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help setup sample local demo test properties sam-build sam-test crashes admin tell-again bench bench-gate bench-scale docs lint check format lock clean
