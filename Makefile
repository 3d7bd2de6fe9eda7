# Thin: each target is one line of intent. What the words mean is in README.md.
.DEFAULT_GOAL := help
.PHONY: help preview test check lint bench prove rehearse lock generated policy-docs clean distclean
STACK ?= production
PYTHON := .venv/bin/python

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 - /p' $(MAKEFILE_LIST)

preview: ## the plan of a stack on the embedded clouds: no account, no credential, no Docker
	@./infra preview --stack $(STACK) --rehearsal

test: dev ## everything that has to pass before a change lands
	@$(PYTHON) -m ops.testing

check: dev lint ## the inner loop: lint, types, unit and policy tests
	@$(PYTHON) -m pytest -q -n 2 -m 'not slow' tests/unit tests/policy

lint: dev ## style, types, shell scripts
	@$(PYTHON) -m ops.lint

bench: dev ## how fast, beside what it is compared with, in one run
	@$(PYTHON) -m bench

prove: dev ## the long proofs: figures into docs/proof/, resumable
	@$(PYTHON) -m ops.prove

rehearse: ## the whole stack on a server in a container, serving HTTPS, and the proof
	@./infra rehearse stack

lock: dev ## exact versions with hashes from requirements*.in (needs uv)
	@$(PYTHON) -m ops.lock

generated: dev ## schemas and reference pages, from the code
	@$(PYTHON) -m ops.generated

policy-docs: dev ## docs/policies.md, from the policy pack's rules
	@$(PYTHON) policy/document.py

clean: ## what was set up inside this checkout
	@rm -rf .venv .toolchain .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## and the slow builds in the user's cache folder
	@rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/neurmatic-infrastructure"

.PHONY: dev
dev:
	@./ops/setup.sh dev
