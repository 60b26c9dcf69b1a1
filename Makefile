# make app: set up and open the explorer. make test: set up and run all tests.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python -m

.PHONY: app test lint format

app: $(VENV)/requirements.txt.done
	$(RUN) app.main $(ARGS)

test: $(VENV)/requirements-test.txt.done
	$(RUN) pytest -q $(ARGS)

lint: $(VENV)/requirements-test.txt.done
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

format: $(VENV)/requirements-test.txt.done
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

# A stamp a file, so that pip runs again only when the requirements change.
$(VENV)/%.done: % requirements.txt requirements-train.txt | $(VENV)/bin/python
	$(RUN) pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
