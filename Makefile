# cp247-gateway: `make demo` shows it, `make test` proves it. Each does all its set-up.
.DEFAULT_GOAL := help
.PHONY: help demo test bench check
VENV := .venv
RUN := $(VENV)/bin/

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(VENV)/.ready: pyproject.toml uv.lock
	@tests/setup-venv $(VENV)
	@touch $@

test: $(VENV)/.ready ## lint, types, floors and every test, with real servers where root may install them
	@tests/setup-servers
	@$(RUN)ruff check . && $(RUN)ruff format --check .
	@$(RUN)mypy
	@$(RUN)lint-imports
	@$(RUN)pytest -q -n 2
