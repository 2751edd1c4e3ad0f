# Two commands are all a fresh machine needs: make demo, make test.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint ci readme clean

demo: $(VENV)/.installed
	$(BIN)/kmigrate check --all
	$(BIN)/kmigrate hazards --explain H3
	$(BIN)/kmigrate run ring

test: demo
	$(BIN)/pytest -n auto

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright

ci: test lint

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,toolchain]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

readme: $(VENV)/.installed
	$(BIN)/python tests/support/readme.py
