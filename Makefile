# `make help` lists the targets by group. Every target installs its own prerequisites.
SHELL := /bin/sh
BIN := .venv/bin
export PYTHONPATH := layers/scheduling:sdk:.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache
# Write byte code even where the environment forbids it: the tests start about a hundred processes.
export PYTHONDONTWRITEBYTECODE :=
export SAM_CLI_TELEMETRY := 0
STACK_NAME := extension-scheduler
UPGRADE := $(if $(ONLY),--upgrade-package $(ONLY),--upgrade)
ARCHITECTURE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## |#> ' ' \
	    /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 } \
	    /^#> / { printf "  %s\n", $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Try
demo: setup sample ## Run the sample: create schedules, advance an hour, show runs
	@$(BIN)/python -m local.demo

local: setup sample ## Run the whole stack on 127.0.0.1 until Ctrl-C
	@$(BIN)/python -m local

##@ Test
TESTS_WITHOUT_STACK := tests/integration tests/properties tests/attack tests/unit tests/sdk
# Without plugins that only `make api-test` uses, and that each process would import.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder -p no:schemathesis -p no:anyio

check: lint test stack-test ## Run all checks that must pass before a commit

lint: setup ## Check format, style, types, import rules and the template
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy layers/scheduling/scheduling runner sdk local scheduling_admin samples/build.py scripts bench tests
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint template.yaml

test: setup sample ## Run the tests that start no stack, in three minutes
	@$(PYTEST) $(TESTS_WITHOUT_STACK)

stack-test: setup sample ## Run the tests of the local stack, the runner and others
	@$(PYTEST) $(TESTS_WITHOUT_STACK:%=--ignore %)

properties: setup ## Run the property tests with many more examples and faults
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 2 tests/properties tests/integration/test_iam.py

attack: setup sample ## Fuzz all routes, kill processes (SEED=1 REQUESTS=30000), minutes
	@$(BIN)/python -m tests.attack $(if $(SEED),--seed $(SEED)) $(if $(REQUESTS),--requests $(REQUESTS)) \
	    $(if $(HISTORIES),--histories $(HISTORIES)) $(if $(CHANGES),--changes $(CHANGES))

mutants: setup ## Test tests: COUNT=500 mutants of MODULES=domain/cron; resumes
	@scripts/setup_mutants.sh
	@build/mutants-venv/bin/python -m tests.mutants $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(MINUTES),--minutes $(MINUTES)) $(if $(JOBS),--jobs $(JOBS)) \
	    $(MODULES:%=--module %) $(if $(TESTS),--tests $(TESTS))

sam-test: setup ## Test the built artifacts in containers (SAM CLI, Docker)
	@scripts/sam_engine.sh $(ARCHITECTURE)
	@$(MAKE) --no-print-directory sam-build
	@$(BIN)/python -m pytest --sam -n 2 --dist loadgroup tests/sam tests/e2e

js-test: setup ## Run JavaScript extensions, and the guide's TypeScript (npm)
	@tests/compat/js/build.sh
	@$(BIN)/python -m pytest tests/compat/js/js_component.py tests/compat/js/signed_calls.py

browser-test: setup ## Use the console in the system's Chromium, some minutes
	@$(BIN)/python -m pytest $(wildcard tests/browser/*_page.py)

author-test: sdk sample ## Play a new author; run the guides' commands and the events
	@$(BIN)/python -m pytest $(wildcard tests/author/*_*.py)

api-test: setup ## Fuzz the API by its description, try a client (SEED=1)
	@scripts/setup_tool.sh openapi "the client generator"
	@$(if $(SEED),SEED=$(SEED)) $(if $(EXAMPLES),EXAMPLES=$(EXAMPLES)) $(BIN)/python -m pytest $(wildcard tests/openapi/*_*.py)

bench: sam-build ## Compare with raw botocore and alternatives (15 minutes)
	@$(BIN)/python -m bench

bench-gate: sam-build ## Measure the gated operations; fail if a gate does not hold
	@$(BIN)/python -m bench --gate

bench-scale: setup ## Simulate full hours, and write the tables of docs/scale.md
	@$(BIN)/python -m bench.scale

##@ Build
setup: ## Make .venv with the locked packages and this project
	@scripts/setup.sh

sample: setup ## Build the sample extension to a WASM component
	@$(BIN)/python -m samples.build

sdk: setup ## Build the SDK's wheel and sdist to build/sdk
	@$(BIN)/python -m scripts.vendor_rules
	@rm -rf build/sdk
	@cd sdk && ../$(BIN)/python -m hatchling build -d ../build/sdk

sam-build: setup ## Build layer and functions to build/sam (BOTOCORE=whole: FIPS)
	@scripts/setup_tool.sh sam "the SAM CLI"
	@build/sam-venv/bin/sam build --build-dir build/sam --parameter-overrides Architecture=$(ARCHITECTURE)

docs: setup ## Generate the table of permissions and the API's description
	@$(BIN)/python -m scripts.iam_table
	@$(BIN)/python -m scripts.openapi

screenshots: setup ## Write docs/console.png: a day on the local stack in Chromium
	@$(BIN)/python -m tests.browser.screenshots

crashes: setup ## Write and print docs/crashes.md, on interrupted operations
	@mkdir -p build
	@$(BIN)/python -m tests.support.faults.crash_table 2>build/crashes.log

night: setup ## Write and print docs/night.md, on what faults show
	@$(BIN)/python -m tests.support.faults.night_page

format: setup ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## Upgrade the locked dependencies (ONLY=tzdata: that one)
	@scripts/uv pip compile --quiet scripts/requirements.in --universal --python-version 3.11 $(UPGRADE) \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o scripts/requirements.lock
	@scripts/uv pip compile --quiet pyproject.toml --extra admin --group dev --universal --python-version 3.11 $(UPGRADE) \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o requirements.lock
	@mkdir -p build
	@sed 's/ \\$$//' requirements.lock | grep == >build/constraints.txt
	@scripts/uv pip compile --quiet pyproject.toml --python-version 3.13 --python-platform linux -c build/constraints.txt \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o layers/scheduling/requirements.txt
	@scripts/uv pip compile --quiet tests/sam/requirements.in --universal --python-version 3.11 $(UPGRADE) \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o tests/sam/requirements.lock
	@scripts/uv pip compile --quiet tests/openapi/requirements.in --universal --python-version 3.11 $(UPGRADE) \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o tests/openapi/requirements.lock
	@scripts/uv pip compile --quiet tests/mutants/requirements.in --universal --python-version 3.11 \
	    -c build/constraints.txt --generate-hashes --no-header --no-annotate --no-emit-index-url \
	    -o tests/mutants/requirements.lock
	@scripts/uv pip compile --quiet bench/peers/requirements.in --python-version 3.13 --python-platform linux \
	    -c build/constraints.txt --no-emit-package boto3 --no-emit-package botocore \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url -o bench/peers/requirements.lock

clean: ## Delete all build output and caches
	@rm -rf .venv build dist .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

##@ Operate
deploy: ARCHITECTURE := arm64
deploy: setup ## Build and deploy (STACK_NAME=x PARAMETERS="A=1" ARGS=--guided)
	@$(BIN)/python -m scripts.stack_name "$(STACK_NAME)"
	@$(MAKE) --no-print-directory sam-build ARCHITECTURE=$(ARCHITECTURE)
	@build/sam-venv/bin/sam deploy --template-file build/sam/template.yaml --config-file $(CURDIR)/samconfig.toml \
	    --stack-name $(STACK_NAME) --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS) $(ARGS)

#> scripts/scheduling-admin --help    Inspect and operate a stack

.PHONY: help deploy demo local check lint test stack-test properties attack mutants sam-test js-test browser-test screenshots author-test api-test bench bench-gate bench-scale setup sample sdk sam-build docs \
    crashes night format lock clean
