# Python 3.11 or later and make are all that is needed: every target sets up .venv with the extras it uses,
# and installs again only when pyproject.toml has changed.

PYTHON ?= $(firstword $(foreach name,python3.11 python3 python3.12 python3.13,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
BENCHES := frontend engine audit gateway budget

.PHONY: help demo test check docs bench fuzz differential clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    check a policy, then let agents at work, and attackers, ask the gateway"
	@echo "make test    run the tests"
	@echo "make check   ruff and mypy"
	@echo "make docs    write the pages of the reference that are made from the sources"
	@echo "make bench   time the front end, decisions, the audit log and budgets; fails if a figure is beyond what is wanted"
	@echo "make fuzz    feed mutated policies to the parser for a while (FUZZ_SECONDS=60)"
	@echo "make differential"
	@echo "             ask OPA, regorus and rego-cpp the same as this engine, as far as they are installed (COUNT=1000 SEED=0)"
	@echo "make clean   remove what the other targets made"

demo: $(VENV)/installed-run
	@PATH="$(CURDIR)/$(BIN):$$PATH" demo/run

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(WORKERS)

check: $(VENV)/installed-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/installed-run
	$(BIN)/python docs/reference_pages.py

bench: $(VENV)/installed-bench
	@code=0; for part in $(BENCHES); do echo "bench/$$part.py"; $(BIN)/python bench/$$part.py || code=1; done; exit $$code

fuzz: $(VENV)/installed-test
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) $(BIN)/python -m pytest tests/property/test_fuzz.py

differential: $(VENV)/installed-test
	PYTHONPATH=tests $(BIN)/python -m differential --count $(or $(COUNT),1000) --seed $(or $(SEED),0)

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

EXTRAS_run :=
EXTRAS_bench := [bench,test]
EXTRAS_test := [test]
EXTRAS_check := [test,check]

$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	@echo "installing procurator$(EXTRAS_$*) into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS_$*)'
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "procurator needs Python 3.11 or later; none was found" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"procurator needs Python 3.11 or later; {sys.executable} is {sys.version}")'
	@$(PYTHON) -m venv $(VENV)
