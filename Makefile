# Needs only make and Python 3.10 or newer (another one: make PYTHON=python3.12 ...).
# Everything is installed into .venv; nothing outside this folder is touched but the table of `nassim`'s data folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := results/compare

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help compare test browser speed lint types setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s  %s\n", $$1, $$2 }' Makefile

compare: $(VENV)/core.stamp ## the main job: six strategies on NAS-Bench-201, CIFAR-10 and digits, up to 100 seeds each
	@$(BIN)/nassim compare --algos random_search,regularized_evolution,reinforce,gp_bo,pnas,darts \
	    --benchmark nasbench201/cifar10 --benchmark nasbench201/digits --budget 150q --seeds 100 --out $(OUT)

test: lint types browser ## lint, type-check, run all tests
	@$(BIN)/python -m pytest -n 2

browser: ## Chromium for the tests of the report, where it can be installed; where not, they are skipped
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	    echo "installing chromium (about a minute the first time)"; \
	    { timeout 120 apt-get update -qq; \
	      DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq chromium; } >/dev/null 2>&1 </dev/null; \
	fi; \
	command -v chromium >/dev/null || echo "no Chromium is to be had here: the tests in a browser are skipped"

speed: $(VENV)/dev.stamp ## measure the speed and print it with the machine
	@$(BIN)/python tools/speed.py

lint: $(VENV)/dev.stamp ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp ## mypy --strict
	@$(BIN)/python tools/typecheck.py

setup: $(VENV)/dev.stamp ## .venv with everything that development needs

clean: ## remove .venv, caches and built files (results/ stays)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp holds the folder it was made for, so that a moved checkout, like a removed Python, gets a new .venv.
$(shell test -x $(BIN)/python && pwd -P | cmp -s - $(VENV)/core.stamp || rm -f $(VENV)/*.stamp)

# An interrupted installation leaves no stamp, and a .venv without a stamp is made anew: pip takes a package
# for installed as soon as half of it is there.
define install
	@test -f $(VENV)/core.stamp || { \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	        || { echo "nassim needs Python 3.10 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }; \
	    rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@rm -f $(VENV)/*.stamp
	@echo "installing into $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$(1)"
	@pwd -P > $(VENV)/core.stamp
endef

$(VENV)/core.stamp: pyproject.toml constraints.txt
	$(call install,.)

$(VENV)/dev.stamp: pyproject.toml constraints.txt
	$(call install,.[dev])
	@touch $@
