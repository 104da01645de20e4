# Shortcuts. `make` on its own lists them. Windows users type the commands themselves: CONTRIBUTING.md has them.
.DEFAULT_GOAL := help
.PHONY: help run test slow benchmark lint format types layers check environment pins rooms gallery wheel ci

help: ## list these shortcuts
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## the main job: indices, figures and report
	uv run outcomes run

test: ## the fast tests
	uv run pytest

slow: ## the slow tests
	uv run pytest -m slow

benchmark: ## how long things take
	uv run pytest -m benchmark -n 0 --benchmark-enable tests/benchmarks

lint: ## faults of style, and layout
	uv run ruff check .
	uv run ruff format --check .

format: ## mend style and layout
	uv run ruff check --fix .
	uv run ruff format .

types: ## check the types
	uv run mypy

layers: ## check that imports run downwards only
	uv run lint-imports

check: lint types layers test ## all of these

environment: ## make environment.yml from pyproject.toml
	uv run pyproject2conda yaml --extra dev --name outcomes-analysis --python-include "python>=3.12,<3.15" --req "-e ." --custom-command "make environment" --overwrite force --output environment.yml

pins: ## pin every package afresh: constraints.txt and its copy in pyproject.toml
	uv run python .ci/pins.py

rooms: ## bring the table of modules in ARCHITECTURE.md up to date
	uv run python .ci/rooms.py

gallery: ## draw the approved figures again, and their index in README.md
	uv run python -m outcomes_analysis.pipeline.gallery

wheel: ## build the package that can be installed outside the clone
	uv build --wheel

ci: ## everything, as the build server runs it
	bash .ci/run
