# make demo, make test: nothing but Python 3.11 (or newer) and make is needed; everything else goes into .venv
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && echo $$p && break; done)
VENV   := .venv
PY     := $(VENV)/bin/python
CACHE  := .cache
# errors only: warnings about how a machine's pip is set up are nothing that a reader of the demo can act on
# isolated, so that nothing is imported from the folder where it runs
PIP    := -I -m pip --disable-pip-version-check --no-input --quiet --quiet
# what a lock names, and nothing else
LOCKED := install --require-hashes --only-binary :all: --no-deps --requirement
# pip compiles what it copies, and an editable install copies nothing: where PYTHONDONTWRITEBYTECODE is set, every run would compile it
COMPILED := $(PY) -I -m compileall -q irsa_doctor
TESTS  := -m pytest --numprocesses auto --dist worksteal
DEMO   := fixtures/worlds/shop --complete serviceaccounts

.DEFAULT_GOAL := help
.PHONY: help playground demo audit-demo test test-oldest test-newest test-semantics lock workflows audit docs release project-url fuzz coverage lint types generated generated-check rules wheel bench tools validators kube-tools check clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed ## run the main job on a small broken cluster
	@$(VENV)/bin/irsa-doctor check $(DEMO) --exit-zero

audit-demo: $(VENV)/.installed ## audit a made-up organisation of 12 accounts three times, and write the report (.cache/audit-demo)
	@rm -rf $(CACHE)/audit-demo
	@$(PY) -m tools.demo $(CACHE)/audit-demo
	@for run in 1=2026-09-01 2=2026-10-01 3=2026-11-01; do \
		$(VENV)/bin/irsa-doctor audit run $(CACHE)/audit-demo/run-$${run%%=*} --as-of $${run#*=}T06:00:00Z --max-age 400d \
			--config $(CACHE)/audit-demo/irsa-doctor.toml --store $(CACHE)/audit-demo/audit.db \
			--output $(CACHE)/audit-demo/run-$${run%%=*}.txt || test $$? -eq 1 || exit 1; \
		tail -n 4 $(CACHE)/audit-demo/run-$${run%%=*}.txt; done
	@$(VENV)/bin/irsa-doctor audit report --store $(CACHE)/audit-demo/audit.db --framework soc2 --sample 5 --seed 1 \
		--output $(CACHE)/audit-demo/report.html
	@echo "The report: $(CACHE)/audit-demo/report.html"

test: $(VENV)/.dev ## run all tests
	$(PY) $(TESTS)

test-oldest: $(CACHE)/oldest/.installed ## run all tests with the oldest versions that pyproject.toml allows
	$(CACHE)/oldest/bin/python $(TESTS) -p no:cacheprovider

test-newest: $(CACHE)/newest/.made ## run all tests with the newest versions that pyproject.toml allows, without the lock
	$(CACHE)/newest/bin/python $(PIP) install --upgrade --upgrade-strategy eager --editable '.[dev]'
	$(CACHE)/newest/bin/python $(TESTS) -p no:cacheprovider

test-semantics: $(VENV)/.dev ## compare trust with its reference on tens of thousands of new policies (TRUST_SEED=n for others)
	TRUST_EXAMPLES=$${TRUST_EXAMPLES:-10} $(PY) $(TESTS) $(wildcard tests/trust/test_*against*.py)

lock: $(CACHE)/ci/.installed ## write requirements/*.txt again, with the newest versions that are a week old
	$(CACHE)/ci/bin/python -I tools/locks.py $(CACHE)/ci/bin/uv

workflows: $(CACHE)/ci/.installed ## check the files that CI systems read: schemas, and what actionlint and zizmor know of workflows
	$(CACHE)/ci/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(CACHE)/ci/bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(CACHE)/ci/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(CACHE)/ci/bin/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci integrations/gitlab-ci.yml
	$(CACHE)/ci/bin/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml
	$(CACHE)/ci/bin/zizmor --offline --quiet .github action.yml

audit: $(CACHE)/ci/.installed ## known vulnerabilities of what the locks name (asks the package index)
	for lock in requirements/*.txt; do \
		$(CACHE)/ci/bin/pip-audit --disable-pip --require-hashes --progress-spinner off --requirement $$lock || exit 1; done

release: $(CACHE)/build/.installed $(CACHE)/ci/.installed $(CACHE)/run/.installed ## what is published for a tag, into dist/ (RELEASE_TAG=vX.Y.Z)
	test "$$RELEASE_TAG" = "v$$($(CACHE)/build/bin/hatchling version)"
	! grep --quiet PROJECT_URL pyproject.toml || { echo "say where the project is published: make project-url URL=..."; exit 1; }
	mkdir -p dist && find dist -maxdepth 1 -type f -delete
	$(CACHE)/build/bin/hatchling build --directory dist
	$(CACHE)/run/bin/python $(PIP) uninstall --yes pip setuptools
	$(CACHE)/ci/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/irsa-doctor.cdx.json $(CACHE)/run/bin/python
	rm $(CACHE)/run/.installed
	$(CACHE)/build/bin/python -I tools/krew.py dist "$${RELEASE_TAG#v}"
	cd dist && sha256sum *.whl *.tar.gz *.json *.yaml > SHA256SUMS

project-url: ## write where the project is published into the files that name it, once (URL=https://host/owner/name)
	$(PYTHON) -I tools/project_url.py "$(URL)"

fuzz: $(VENV)/.dev ## documents drawn at random for every reader and semantic (FUZZ_SECONDS=n; those that fail stay in .cache/fuzz)
	$(PY) -m tests.fuzz --seconds $(or $(FUZZ_SECONDS),120) --keep $(CACHE)/fuzz

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

rules: $(VENV)/.installed ## run the examples of every rule, cause and message
	$(VENV)/bin/irsa-doctor rules test

wheel: $(VENV)/.dev ## build the wheel into dist/
	rm -f dist/*.whl
	$(PY) -m build --wheel --no-isolation --outdir dist .

playground: $(VENV)/.dev $(CACHE)/playground/.installed ## the page that checks documents in the browser, into dist/playground (needs npm)
	rm -rf $(CACHE)/playground/dist
	$(PY) -m build --wheel --no-isolation --outdir $(CACHE)/playground/dist .
	$(PY) -m tools.playground $(CACHE)/playground --wheel $(CACHE)/playground/dist/*.whl --into dist/playground
	@echo "To look at it: $(PY) -m http.server --directory dist/playground"
	@echo "How long it takes to answer: $(PY) -m tests.playground.bench dist/playground"

bench: $(VENV)/.dev $(CACHE)/peers/.installed ## speed, memory and growth, beside other tools
	$(PY) -m tests.bench --peers $(CACHE)/peers

docs: $(VENV)/.dev $(CACHE)/docs/.installed ## the pages on the web, into dist/docs; a broken link is an error (SITE_URL=https://... where they are published)
	$(PY) -m tools.site $(CACHE)/site
	rm -rf dist/docs
	SITE_FILES=$(CURDIR)/$(CACHE)/site/files $(CACHE)/docs/bin/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --jobs auto \
		--conf-dir tools/site $(CACHE)/site/pages --doctree-dir $(CACHE)/site/doctrees dist/docs
	$(PY) -m tools.site.links dist/docs

validators: $(CACHE)/validators/.installed ## readers of OSCAL and OCSF, for the tests that use them where they are there

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

$(VENV)/.installed: pyproject.toml requirements/run.txt requirements/build.txt | $(VENV)/.made
	$(PY) $(PIP) $(LOCKED) requirements/run.txt
	$(PY) $(PIP) $(LOCKED) requirements/build.txt
	$(PY) $(PIP) install --no-deps --no-build-isolation --editable .
	$(COMPILED)
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/dev.txt | $(VENV)/.made
	$(PY) $(PIP) $(LOCKED) requirements/dev.txt
	$(PY) $(PIP) install --no-deps --no-build-isolation --editable .
	$(COMPILED)
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

$(CACHE)/ci/.installed $(CACHE)/build/.installed $(CACHE)/run/.installed $(CACHE)/docs/.installed $(CACHE)/validators/.installed: $(CACHE)/%/.installed: requirements/%.txt
	$(PYTHON) -m venv --clear $(CACHE)/$*
	$(CACHE)/$*/bin/python $(PIP) $(LOCKED) requirements/$*.txt
	@touch $@

$(CACHE)/playground/.installed: playground/package-lock.json requirements/run.txt tools/playground.py | $(VENV)/.dev
	mkdir -p $(@D)
	cp playground/package.json playground/package-lock.json $(@D)
	npm ci --ignore-scripts --no-fund --no-audit --silent --prefix $(@D)
	$(PY) -m tools.playground --fetch $(@D)
	@touch $@

$(CACHE)/sarif/.installed:
	mkdir -p $(CACHE)/sarif
	npm install --no-fund --no-audit --silent --prefix $(CACHE)/sarif @microsoft/jest-sarif @microsoft/sarif-multitool-linux
	@touch $@
