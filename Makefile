# make demo, make test: nothing but Python 3.11 (or newer) and make is needed; everything else goes into .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && echo $$p && break; done)
VENV   := .venv
PY     := $(VENV)/bin/python
CACHE  := .cache
# errors only: warnings about how a machine's pip is set up are nothing that a reader of the demo can act on
PIP    := -m pip --disable-pip-version-check --no-input --quiet --quiet
TESTS  := -m pytest --numprocesses auto --dist worksteal
DEMO   := fixtures/worlds/shop --complete serviceaccounts

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest test-newest test-semantics lock coverage lint types generated generated-check rules wheel bench tools kube-tools check clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed ## run the main job on a small broken cluster
	@$(VENV)/bin/irsa-doctor check $(DEMO) --exit-zero

test: $(VENV)/.dev ## run all tests
	$(PY) $(TESTS)

test-oldest: $(CACHE)/oldest/.installed ## run all tests with the oldest versions that pyproject.toml allows
	$(CACHE)/oldest/bin/python $(TESTS) -p no:cacheprovider

test-newest: $(CACHE)/newest/.made ## run all tests with the newest versions that pyproject.toml allows, without the lock
	$(CACHE)/newest/bin/python $(PIP) install --upgrade --upgrade-strategy eager --editable '.[dev]'
	$(CACHE)/newest/bin/python $(TESTS) -p no:cacheprovider

test-semantics: $(VENV)/.dev ## compare trust with its reference on tens of thousands of new policies (TRUST_SEED=n for others)
	TRUST_EXAMPLES=$${TRUST_EXAMPLES:-10} $(PY) $(TESTS) $(wildcard tests/trust/test_*against*.py)

lock: $(CACHE)/lock/.made ## write requirements/dev.txt again, with the newest versions
	$(CACHE)/lock/bin/python $(PIP) install --upgrade uv
	printf '# %s\n' 'What make test, lint and types install, with hashes. Written by make lock.' > $(CACHE)/lock/dev.txt
	$(CACHE)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml >> $(CACHE)/lock/dev.txt
	mkdir -p requirements && mv $(CACHE)/lock/dev.txt requirements/dev.txt

coverage: $(VENV)/.dev ## run all tests and show which branches they miss, the command line included
	$(PY) $(TESTS) --cov --cov-report=term-missing

lint: $(VENV)/.dev ## style, likely mistakes, and the measures of the house
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m tools.measures

types: $(VENV)/.dev ## mypy --strict
	$(PY) -m mypy

generated: $(VENV)/.dev ## write again what is generated: rule index, schemas, parts of the README
	$(PY) -m tools.generate

generated-check: $(VENV)/.dev ## fail where a generated file is not current
	$(PY) -m tools.generate --check

rules: $(VENV)/.installed ## run the examples of every rule
	$(VENV)/bin/irsa-doctor rules test rules

wheel: $(VENV)/.dev ## build the wheel into dist/
	rm -rf dist
	$(PY) -m build --wheel --no-isolation --outdir dist .

bench: $(VENV)/.dev $(CACHE)/peers/.installed ## speed, memory and growth, beside other tools
	$(PY) -m tests.bench --peers $(CACHE)/peers

tools: $(CACHE)/sarif/.installed ## the two validators of SARIF, for the tests that use them where they are there

kube-tools: ## build kube-apiserver and fetch etcd, for the tests against a real one (Debian 12, as root, some minutes)
	tests/servers/kube-tools.sh

check: lint types generated-check test ## all that is checked before a commit

clean: ## remove everything that was made here
	rm -rf $(VENV) $(CACHE) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*
	find irsa_doctor tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it by make PYTHON=..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip' || { echo "this Python has no ensurepip (Debian: apt-get install python3-venv)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.made
	$(PY) $(PIP) install --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/dev.txt | $(VENV)/.made
	$(PY) $(PIP) install --require-hashes --requirement requirements/dev.txt
	$(PY) $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.installed

$(CACHE)/%/.made:
	$(PYTHON) -m venv --clear $(@D)
	@touch $@

# an environment of their own: they pin versions of packages that we use in newer ones
$(CACHE)/peers/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(CACHE)/peers
	$(CACHE)/peers/bin/python $(PIP) install '.[bench]'
	@touch $@

$(CACHE)/oldest/.installed: pyproject.toml
	$(PYTHON) -m venv --clear $(CACHE)/oldest
	$(PYTHON) -c 'import tomllib; print(*(d.replace(">=", "==") for d in \
		tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]), sep="\n")' > $(CACHE)/oldest/constraints.txt
	$(CACHE)/oldest/bin/python $(PIP) install --constraint $(CACHE)/oldest/constraints.txt --editable '.[dev]'
	@touch $@

$(CACHE)/sarif/.installed:
	mkdir -p $(CACHE)/sarif
	npm install --no-fund --no-audit --silent --prefix $(CACHE)/sarif @microsoft/jest-sarif @microsoft/sarif-multitool-linux
	@touch $@
