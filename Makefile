# make app    the app on the sample place        make test   everything needed, then all tests
# make train  both compact networks, from nothing   make sample the sample place, by the weights at hand
# make bench  speed and size    make bench-accuracy   how right: hours; `python -m benchmarks.accuracy sample` is minutes
# make county  the test county of the paper's size that bench-accuracy searches: an hour of two cores
# make bench-embed, make bench-paper   the published networks, and the published evaluation, beside ours
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test check train sample bench bench-accuracy county bench-paper bench-embed clean

app: $(VENV)/.app
	$(BIN)/streamlit run app.py

# The browser's tests run alone: Playwright keeps an event loop running in its process.
test: $(VENV)/.dev check
	tests/need-chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --ignore tests/browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/browser

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.dev
	$(BIN)/python -m gama_core train all

sample: $(VENV)/.dev
	$(BIN)/python -m benchmarks.sample

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.bench

bench-accuracy: $(VENV)/.dev
	$(BIN)/python -m benchmarks.accuracy

county: $(VENV)/.dev
	$(BIN)/python -m benchmarks.county

bench-embed: $(VENV)/.dev
	$(BIN)/python -m benchmarks.embed

bench-paper: $(VENV)/.dev
	$(BIN)/python -m benchmarks.paper

$(VENV)/.app: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@ $(VENV)/.app

clean:
	rm -rf cache out .mypy_cache .ruff_cache .pytest_cache
