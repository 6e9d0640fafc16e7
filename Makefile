# Every target sets up what it needs in .venv/ first; nothing else on the machine is changed
# (but for Chromium and PostgreSQL, where tests of later parts need them).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check unit explore bench lock clean

help: ## Explain every target
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: $(STAMP) ## Play a ticket's life through local stand-ins of Zendesk and Jira (ONCE=1: end afterwards; RULES=1: with rules)
	$(BIN)/hub demo $(if $(ONCE),--once) $(if $(RULES),--rules)

test: check unit ## Run all checks: format, lint, types, import direction, tests

check: $(STAMP) ## Format, lint, types and import direction only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(STAMP) ## The tests only
	$(BIN)/python -m pytest -n auto --dist loadscope

explore: $(STAMP) ## Look for new examples that break the promises; other ones each time
	$(BIN)/python -m pytest -n auto --hypothesis-profile explore tests/sync/test_invariants.py tests/rules tests/text tests/report

bench: $(STAMP) ## Measure the hub beside a bare loop that makes the same calls
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.clocks

lock: ## Write requirements-dev.lock anew from pyproject.toml (needs uv)
	uv export --quiet --no-emit-project --all-groups --format requirements-txt --output-file requirements-dev.lock

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
