# `make demo`, `make test` and `make docs` work on a fresh machine: each sets up .venv first.
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= runs/demo

.PHONY: demo test lint docs clean

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("ligero needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# The whole road on made-up sentences: no network after the installation, 3 to 7 minutes on two cores.
demo: .venv/.ready
	$(BIN)/ligero demo $(DEMO)/data
	$(BIN)/ligero compress --config recipes/demo.toml --out $(DEMO)/run --train $(DEMO)/data/train.conll \
	  --dev $(DEMO)/data/dev.conll --test $(DEMO)/data/test.conll --unlabeled $(DEMO)/data/text.txt
	$(BIN)/ligero predict $(DEMO)/run "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza."

# One thread each: small models gain nothing by a second one, and two processes lose by it.
test: .venv/.ready lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/.docs: .venv/.ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

# The documentation in site/: open site/index.html, no server is needed.
docs: .venv/.docs
	$(BIN)/python docs/build site

clean:
	rm -rf .venv runs site .pytest_cache .ruff_cache .mypy_cache
