.DEFAULT_GOAL := help
BIN := .venv/bin

help: ## this list
	@grep -E '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

demo: setup ## start kiosk, central and simulated devices on loopback, and print where to click
	@$(BIN)/corridor demo

test: setup lint ## every check: style, types, imports, tests
	@$(BIN)/pytest -n auto --dist loadfile

setup: ## everything a bare Debian 12 needs; a second run does nothing
	@tools/setup.sh

lint: setup ## style, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

stories: setup ## play every fictional traveller through the real kiosk, central and PC/SC daemon
	@$(BIN)/corridor demo --auto 0 --json

bench-journey: setup ## machine time from "document placed" to "channel shown"
	@$(BIN)/python tools/bench_journey.py

bench-mrz: setup ## the reader of printed zones beside its peers (MRZ_MANIFEST=FILE, FASTMRZ_PYTHON=PYTHON)
	@PYTHONPATH=. $(BIN)/python tools/bench_mrz.py

bench-faces: setup ## face comparison beside SFace and face_recognition alone (FACES_IMAGES=FILE for error rates)
	@PYTHONPATH=. $(BIN)/python tools/bench_faces.py

bench-chip: setup ## machine time of whole chip readings, for every way of access and proof
	@PYTHONPATH=. $(BIN)/python tools/bench_chip.py

bench-law: setup ## declarations a second that the evaluator of the law judges
	@$(BIN)/python tools/bench_law.py

mutate-law: setup ## mutants of the evaluator that its tests notice (long; goes on where it stopped)
	@tools/mutate_law.sh

lock: ## resolve the dependencies again and write requirements/lock.txt (needs uv)
	uv pip compile pyproject.toml --extra dev --override requirements/overrides.txt --generate-hashes \
	  --python-version 3.11 --no-emit-index-url --no-header --no-annotate -o requirements/lock.txt

clean: ## remove the environment and everything built
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help demo test setup lint stories bench-journey bench-mrz bench-faces bench-chip bench-law mutate-law lock clean
