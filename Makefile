# cp247-gateway: `make demo` shows it, `make test` proves it. Each does all its set-up.
.DEFAULT_GOAL := help
.PHONY: help demo test bench eval learn fuzz
# compiled modules make the many short processes of the tests start three times faster
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
SECONDS := 600
SPLIT := held
RUN := $(VENV)/bin/

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(VENV)/.ready: pyproject.toml uv.lock
	@tests/setup-venv $(VENV)
	@touch $@

demo: ## a whole gateway in a temporary folder, shown message by message (needs Python and gpg)
	@tests/setup-venv $(VENV) demo
	@$(RUN)cp247 demo

test: $(VENV)/.ready ## lint, types, floors and every test, with real servers where root may install them
	@tests/setup-servers
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)pytest -n 3

bench: $(VENV)/.ready ## how fast, beside Postfix on the same machine in the same run
	@tests/setup-servers
	$(RUN)python -m tests.bench

eval: $(VENV)/.ready ## how well the rules read mail written apart from them; SPLIT=held|tune|all, held also as tests/eval/REPORT.md
	$(RUN)python -m tests.eval --split $(SPLIT) $(if $(filter held,$(SPLIT)),--report tests/eval/REPORT.md)

learn: ## what labelled letters teach, as rules/experience.tsv; never from the half that `make eval` judges
	@tests/setup-venv $(VENV) learn
	$(RUN)python -m tests.eval.learn

fuzz: ## coverage-guided search for bytes that break a reader, SECONDS=600 in all (Linux on x86-64)
	@tests/setup-venv $(VENV) fuzz
	$(RUN)python -m tests.fuzz --seconds $(SECONDS)
