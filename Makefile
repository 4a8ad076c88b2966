# make run, make test, make demo: each does whatever set-up is still missing.
# make docs, man, completion, wheel, deb: what is released, in build/ and dist/.
# make wheel-test, deb-test, image-test: the same, installed elsewhere and used.
# make lock, audit: what the program is made of.
# make bench: how fast it is, beside others, into docs/performance.md.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
TOOLS := .venv/.tools
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--default-index https://pypi.org/simple --custom-compile-command "make lock"

.PHONY: run test demo lint clean docs man completion wheel wheel-test deb deb-test image-test lock audit bench

run: $(INSTALLED)
	@$(BIN)/fsctl db upgrade
	@$(BIN)/fsctl db example
	@exec $(BIN)/fsctl run

demo: $(INSTALLED)
	@exec $(BIN)/fsctl demo

test: lint
	$(BIN)/python -m pytest -n 4 --dist loadgroup

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED)
	$(BIN)/sphinx-build -q -W --keep-going -b html -c docs . build/docs
	@echo "build/docs/index.html"

man: $(INSTALLED)
	$(BIN)/sphinx-build -q -W --keep-going -b man -c docs . build/man

completion: $(INSTALLED)
	@mkdir -p build/completion
	@for shell in bash zsh fish; do \
		_FSCTL_COMPLETE=$${shell}_source $(BIN)/fsctl > build/completion/fsctl.$$shell || exit 1; \
	done

wheel: $(INSTALLED)
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

wheel-test: wheel
	packaging/wheel-test dist/fsctl-*.whl

deb: man completion
	PIP="$(CURDIR)/$(BIN)/python -m pip" packaging/deb/build dist

deb-test: deb
	packaging/deb/test dist/fsctl_*.deb

image-test:
	packaging/image-test

# The versions that are released, each with its hashes; only what has to be is brought up to date,
# all of it with: make lock UPGRADE=--upgrade
lock: $(TOOLS)
	$(LOCK) $(UPGRADE) --extra postgresql --output-file packaging/requirements.txt setup.cfg
	$(LOCK) $(UPGRADE) --output-file packaging/requirements-build.txt packaging/requirements-build.in

audit: $(TOOLS)
	packaging/audit $(BIN)/pip-audit packaging/requirements.txt packaging/requirements-build.txt

bench: $(INSTALLED) .bench/.installed
	$(BIN)/python -m benchmarks.report

.bench/.installed:
	$(PYTHON) -m venv .bench
	.bench/bin/pip install --quiet --disable-pip-version-check genesis matplotlib
	if command -v npm >/dev/null; then cd .bench && npm install --silent --no-audit esl@11; fi
	@touch $@

clean:
	rm -rf .venv .bench build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fsctl needs Python 3.11 or later; say which: make PYTHON=python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(TOOLS): $(INSTALLED)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,release]'
	@touch $@
