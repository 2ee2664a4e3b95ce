# make demo   harmonize the bundled pictures; needs the core only
# make test   run the tests; installs the lab and all weights as well
# make lint   ruff and mypy
# make docs   build the site of the documentation; a link that leads nowhere fails it

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
# As in a wheel's installation: without it the program starts slower where Python writes none.
COMPILE := $(BIN)/python -m compileall -q src/samelight
# What an editable installation is made of, once: the compiled loop and the version.
BUILT_FROM := hatch_build.py src/samelight/render/kernel.c src/samelight/__init__.py
DEMO := demo

.PHONY: demo test lint docs clean

demo: $(VENV)/.core
	@mkdir -p $(DEMO)
	@for name in composite night haze; do \
		$(BIN)/samelight harmonize examples/$$name.jpg --mask examples/mask.png --force \
			--output $(DEMO)/$$name.after.jpg --side-by-side $(DEMO)/$$name.sheet.jpg >/dev/null && \
		echo "examples/$$name.jpg -> $(DEMO)/$$name.after.jpg, side by side in $(DEMO)/$$name.sheet.jpg"; \
	done
	@echo "samelight lies in $(CURDIR)/$(BIN); call it so:"
	@echo "    $(BIN)/samelight harmonize PHOTO --mask MASK"

test: $(VENV)/.dev
	$(BIN)/pytest --numprocesses auto

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "the site lies in build/site"

clean:
	rm -rf $(DEMO) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Editable, so that both halves can share one environment and an edit needs no new install.
$(VENV)/.core: pyproject.toml constraints.txt $(BUILT_FROM) | $(VENV)/bin/python
	$(INSTALL) --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: pyproject.toml weights/pyproject.toml constraints.txt $(BUILT_FROM) | $(VENV)/bin/python
	$(INSTALL) --editable '.[dev]' --editable weights
	@$(COMPILE)
	@touch $@ $(VENV)/.core
