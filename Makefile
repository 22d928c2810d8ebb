# The few commands of this repository. Each makes what it needs: a virtual environment in .venv with the exact
# versions of constraints.txt, once, on any machine with Python 3.11 or newer and pip.
#
#   make demo        de novo design of molecules with the shipped model, at most ten minutes on two cores
#   make test        all tests                        make lint       style, formatting, types
#   make notebooks   executes every notebook          make bench      speed, as ratios
#
#   PYTHON=python3.12                                         another interpreter (only when .venv is made)
#   TORCH_INDEX=https://download.pytorch.org/whl/cpu          another build of torch (cpu, cu126, ...)
#   ARGS="-k config"                                          passed to the command

PYTHON ?= python3
VENV ?= .venv
TORCH_INDEX ?=
ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test lint notebooks bench clean

help:  ## Show the commands
	@sed -n 's/^# \{0,1\}//p' Makefile | head -12

install: $(STAMP)  ## Make the virtual environment

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "molgen needs Python 3.11 or newer and '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 ..." >&2; exit 2; }
	@echo "==> Making the virtual environment $(VENV) with $$($(PYTHON) --version)"
	$(PYTHON) -m venv $(VENV)

# torch comes first and alone: with its exact version in place nothing after it can pull in another build.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "==> Installing the pinned packages into $(VENV) (about 2 GB; a few minutes, only this once)"
	@echo "==> 1/3 torch"
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(sed -n '/^torch==/p' constraints.txt)"
	@echo "==> 2/3 build tools"
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables
	@echo "==> 3/3 molgen and everything else"
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e ".[dev]"
	@touch $(STAMP)
	@echo "==> Installed. The command is $(BIN)/molgen"

demo: $(STAMP)  ## De novo design, end to end
	$(BIN)/molgen demo --overwrite $(ARGS)

test: $(STAMP)  ## All tests
	$(BIN)/python -m pytest $(ARGS)

lint: $(STAMP)  ## Style, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(STAMP)  ## Execute every notebook, from a scratch folder, offline
	@set -e; for notebook in notebooks/*.ipynb; do \
	  if [ ! -e "$$notebook" ]; then echo "no notebooks"; exit 0; fi; \
	  echo "==> $$notebook"; \
	  $(BIN)/python tests/run_notebook.py "$$notebook"; \
	done

bench: $(STAMP)  ## Speed, as ratios within one run
	@set -e; for script in benchmarks/*.py; do \
	  if [ ! -e "$$script" ]; then echo "no benchmarks"; exit 0; fi; \
	  echo "==> $$script"; \
	  $(BIN)/python "$$script" $(ARGS); \
	done

clean:  ## Remove what the commands made here, except .venv
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +
