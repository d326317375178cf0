# `make` alone explains itself. `make verify` and `make test` each do all of their own set-up.

PYTHON ?= python3
BIN := .venv/bin
SEAL ?=
R ?=
P ?=
ENERGY_PLAN ?= records/track_vit_tiny/2026-11-23_EnergyPlan
ENERGY_RECORD ?=# by default what was begun beside the plan, or a new folder of today
WAIVE ?=

.DEFAULT_GOAL := help
.PHONY: help setup coq verify test lint data train seal check claims audit bundle mutants study sweep study-energy data-images data-experts proposal reproduce knobs bench portable checker coq-versions findings clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- set-up: a virtual environment with pinned packages, and Coq where it may be installed -----

# `make verify` installs what the gates need, `make test` the rest too: pages, plots, browsers' drivers,
# readers of other tools' files, which take several times as long.
# Python compiles what it imports, and only that: pip would compile all of it.
PIP := $(BIN)/pip --no-input --disable-pip-version-check
INSTALL := $(PIP) install --no-compile -c constraints.txt

setup: .venv/ready .venv/tests coq ## create .venv, install pinned packages, find or install Coq

.venv/ready: pyproject.toml constraints.txt constraints-cffconvert.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: give another one, as in make PYTHON=python3.12"; exit 3; }
	@echo "set-up: .venv, with torch and what else the gates need; some minutes the first time"
	$(PYTHON) -m venv .venv
	$(INSTALL) setuptools
	$(INSTALL) --no-build-isolation -e '.[train,audit]'
	$(PYTHON) -m venv --without-pip .venv/opt/cffconvert
	$(PIP) --python .venv/opt/cffconvert install --no-compile -c constraints-cffconvert.txt cffconvert
	@touch $@

.venv/tests: .venv/ready constraints-rocrate.txt
	@echo "set-up: what the tests, pages, plots and studies need besides"
	$(INSTALL) --no-build-isolation -e '.[train,report,study,sweep,dev]'
	$(PYTHON) -m venv --without-pip .venv/opt/rocrate-validator
	$(PIP) --python .venv/opt/rocrate-validator install --no-compile -c constraints-rocrate.txt roc-validator
	@touch $@

coq: # the theorem gate says `could not run`, with the line to type, where this is not permitted
	@sh theorems/setup.sh

# ---- the two commands ------------------------------------------------------------------------

verify: .venv/ready coq ## run every gate; writes the verdict and smoke.log
	$(BIN)/goldenseal verify

test: setup ## run the tests, on every core; then those that start a Slurm cluster, alone
	$(BIN)/python -m pytest -n auto --dist loadfile --ignore tests/slurm
	$(BIN)/python -m pytest tests/slurm

# ---- work ------------------------------------------------------------------------------------

lint: .venv/tests ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

data: .venv/ready ## fetch, check, tokenise the text; writes data/shakespeare
	$(BIN)/python -m train_gpt_style.kit.data text

data-images: .venv/ready ## fetch and check Fashion-MNIST (30 MB); writes data/fashion-mnist
	$(BIN)/python -m train_gpt_style.kit.data images

data-experts: data-images ## fetch pretrained experts, and what they see in 7,000 images (50 MB, 2 min)
	$(BIN)/pip install -q -c constraints.txt onnxruntime
	$(BIN)/python -m train_gpt_style.kit.data experts

train: data ## train the GPT; every setting is an environment variable
	$(BIN)/python -m train_gpt_style.gpt

knobs: .venv/ready ## list every environment variable
	$(BIN)/goldenseal knobs

seal: .venv/ready ## seal a record: make seal R=records/<track>/<name>
	$(BIN)/goldenseal seal $(R)

check: .venv/ready ## check the seals of all records
	$(BIN)/goldenseal check all

claims: .venv/ready ## recompute every number of README and docs from sealed records
	$(BIN)/goldenseal claims

audit: .venv/ready ## hold records of others against their logs: make audit R=folder
	$(BIN)/goldenseal audit $(R)

bundle: .venv/ready ## write train_gpt.py: one self-contained file, for submission
	$(BIN)/goldenseal bundle gpt -o train_gpt.py

mutants: setup ## how strong gates and tests are: planted edits (hours); writes docs/mutation/
	for system in gpt vit_rft credit dual_stream soup soup_student; do \
	  $(BIN)/goldenseal mutate $$system --count 300 --seed 1597 --write && \
	  $(BIN)/goldenseal mutate $$system --on --count 300 --seed 1597 --write || exit 1; \
	done
	$(BIN)/goldenseal mutate --proofs --write

study: data .venv/tests ## run a plan, or go on with it: make study P=plan.toml R=records/<track>/<name>
	$(BIN)/goldenseal study run $(P) $(R) --jobs 2 $(if $(WAIVE),--waive "$(WAIVE)")
	$(BIN)/goldenseal study report $(R)

SWEEP ?= sweeps/small_cpu.toml

sweep: data .venv/tests ## launch a sweep here, from a verified tree: make sweep SWEEP=sweeps/<name>.toml
	$(BIN)/goldenseal sweep run $(SWEEP) --jobs 2 $(if $(WAIVE),--waive "$(WAIVE)")

study-energy: data-images .venv/tests ## Adam against DCLR: cost of a step and of a loss; ~12 quiet minutes, sealed
	$(BIN)/python -m train_gpt_style.vit_rft.energy_study run $(ENERGY_PLAN) $(ENERGY_RECORD) \
	  $(if $(WAIVE),--waive "$(WAIVE)")

proposal: .venv/tests ## write a proposal's generated parts: make proposal R=records/<track>/<name>
	$(BIN)/goldenseal study proposal $(R)

reproduce: data ## re-run a sealed record: make reproduce SEAL=<prefix of its identity>
	$(BIN)/goldenseal reproduce $(SEAL)

portable: .venv/tests ## the portable lane across emulated CPU models (needs qemu-user)
	$(BIN)/python -m benchmarks.portable

bench: data .venv/tests ## the measurements of docs/benchmarks.md
	$(BIN)/python -m benchmarks.seal
	$(BIN)/python -m benchmarks.claims
	$(BIN)/python -m benchmarks.audit
	$(BIN)/python -m benchmarks.sweep
	$(BIN)/python -m benchmarks.step_time
	$(BIN)/python -m benchmarks.vit_step
	$(BIN)/python -m benchmarks.soup
	$(BIN)/python -m benchmarks.geometry
	$(BIN)/python -m benchmarks.credit
	$(BIN)/python -m benchmarks.energy_meter
	$(BIN)/python -m benchmarks.ttt
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.muon
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.theorems
	$(BIN)/python -m benchmarks.pair
	$(BIN)/python -m benchmarks.verify_time
	$(BIN)/python -m benchmarks.verify_profile

checker: ## build the checker extracted from theorems/Checker.v, and try it: make checker R=record
	@sh theorems/extraction/build.sh
	$(if $(R),.goldenseal/checker/checker $(R))

coq-versions: ## the theorem gate under Debian 13: Python 3.13, Coq 8.20.1 (needs root, 1.5 GB)
	@sh theorems/versions.sh

findings: ## run findings/*.sh: what surprised us in outside software (loads packages, long; outside CI)
	@failed=; for script in findings/*.sh; do echo "== $$script"; \
	  PYTHON=$(PYTHON) sh $$script || [ $$? -eq 3 ] || failed="$$failed $$script"; done; \
	  [ -z "$$failed" ] || { echo "changed:$$failed"; exit 1; }

clean: ## remove what can be made again (not data/)
	rm -rf .venv .goldenseal .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
