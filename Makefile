# Every target does the set-up it needs; `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run setup test check faults quick format picture tour manual bench bench-retrieval install uninstall lock clean

# A folder to open, a Python to use, and cpu or gpu to choose the packages by hand.
DOCS ?=
PYTHON ?=
ACCEL ?=
UPGRADE ?=
BENCH ?= --quick
DATA ?=
export DOCS ACCEL UPGRADE

IN_VENV := .venv/bin/python -m

# The Python asked for, else the environment's own, else the machine's.
CHOOSE_PYTHON = python="$(PYTHON)"; \
	if [ -z "$$python" ] && .venv/bin/python -S -c '' 2>/dev/null; then python=.venv/bin/python; fi; \
	python="$${python:-python3}"; \
	"$$python" -E -s -S -c 'import sys; sys.exit(sys.version_info < (3, 7))' 2>/dev/null || \
	{ echo "$$python was not found or is too old: install Python 3.11, 3.12 or 3.13" >&2; exit 1; };

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F"|" '{printf "%-20s %s\n", $$1, $$2}'

run: setup ## open the manual, or a folder: make run DOCS=~/notes
	@docs="$${DOCS:-docs}"; \
	case "$$docs" in "~") docs="$$HOME";; "~/"*) docs="$$HOME/$${docs#??}";; -*) docs="./$$docs";; esac; \
	exec .venv/bin/hoverkite "$$docs"

setup: ## make .venv, install the packages, prepare the models
	@$(CHOOSE_PYTHON) exec "$$python" -E -s -S -m tools.setup

test: check ## the same as check: all that a change must pass

check: setup ## format, lint, types, import contracts, then every test
	@$(IN_VENV) ruff format --check --quiet . || { echo "Run: make format" >&2; exit 1; }
	@$(IN_VENV) ruff check --quiet .
	@$(IN_VENV) mypy --no-error-summary
	@.venv/bin/lint-imports --no-logo
	@$(IN_VENV) pytest -n 2 --dist loadfile -m "not slow and not terminal"
	@$(IN_VENV) pytest -m terminal

faults: setup ## the long tests of what happens when things go wrong (5 minutes)
	@$(IN_VENV) pytest -n 2 --dist load -m slow

quick: setup ## only the tests that need no real model
	@$(IN_VENV) pytest -n 2 --dist loadfile -m "not real and not vllm and not terminal"

format: setup ## put the code into its standard form
	@$(IN_VENV) ruff format --quiet .
	@$(IN_VENV) ruff check --fix --quiet .

picture: setup ## make the picture and the recording in docs/images from the program
	@$(IN_VENV) tools.picture
	@$(IN_VENV) tools.recording

tour: setup ## make docs/tour.md from the program, driven in tmux
	@$(IN_VENV) tools.tour

manual: setup ## make docs/configuration.md and docs/keys.md
	@$(IN_VENV) tools.manual

bench: setup ## run every benchmark: make bench BENCH= takes the large sizes too
	@for each in benchmarks/[a-z]*.py; do \
	  name="$${each#benchmarks/}"; echo "== $$name"; \
	  $(IN_VENV) "benchmarks.$${name%.py}" $(BENCH) || exit 1; \
	done

bench-retrieval: setup ## write benchmarks/retrieval.md: make bench-retrieval DATA=~/collections
	@$(IN_VENV) benchmarks.retrieval $(if $(DATA),"$(DATA)") --to benchmarks/retrieval.md

install: setup ## link hoverkite into ~/.local/bin
	@.venv/bin/python -m tools.link install

uninstall: ## remove that link
	@python3 -m tools.link uninstall

lock: ## make the locks again: make lock UPGRADE=1 takes newer versions
	@$(CHOOSE_PYTHON) exec "$$python" -E -s -S -m tools.setup lock

clean: ## remove .venv and what builds and checks made
	@rm -rf .venv setup.log dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed what was made here. Indexes, models and settings stay; docs/getting-started.md says where."
