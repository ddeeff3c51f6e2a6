# The commands of this project. `make help` lists them; scripts/setup has the versions of every tool.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The project's own tools first.
export PATH := $(CURDIR)/.tools/bin:$(PATH)
# SAM asks for a region even where it calls nobody, and would send usage figures.
export SAM_CLI_TELEMETRY := 0

# A test waits for servers half of its time: four tests for two cores. CI's cores have other work, too, and there a test that
# finds none would look like a store that fails. DynamoDB Local needs the rest of a core itself.
CORES := $(shell getconf _NPROCESSORS_ONLN)
export RUST_TEST_THREADS ?= $(shell expr $(CORES) \* $(if $(CI),3 / 2,2))

# On a laptop fewer random carts, events and bodies are tried than in CI, where the tests' own numbers hold.
ifndef CI
export PRICING_CASES ?= 1000
export EVENT_CASES ?= 2000
export FUZZ_CASES ?= 20000
export HOSTILE_REQUESTS ?= 100
endif

say = @printf '==> %s\n'

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 28

.PHONY: dev
dev: ## Run the whole checkout on this machine until Ctrl-C (ARGS="--port 4000 …")
	@scripts/setup dev
	@[ -x target/debug/checkout ] || printf '==> %s\n' "The first build takes about $$((26 / $(CORES) + 1)) minutes on $(CORES) processors"
	$(say) "Building the developer's tool"
	@exec cargo run --bin checkout -- dev $(ARGS)

.PHONY: test
test: setup $(if $(CI),lint) ## Set up what the tests need, and run every test (with CI set: lint too, and both engines)
	$(say) "Building every function"
	@cargo build --workspace --locked
	$(say) "Testing, on redis-server and dynoxide"
	@cargo test --package shared --package tools --package tests --locked
ifdef CI
	$(say) "The races again, with all stock and all limits of coupons in parts"
	@TEST_PARTS=4 cargo test --package tests --locked -- races:: rules::coupons
	@$(MAKE) --no-print-directory client
	$(say) "A purchase through the TypeScript client"
	@scripts/client-purchase
	@$(MAKE) --no-print-directory browser
	@SECONDS_EACH=20 scripts/schemathesis
	@$(MAKE) --no-print-directory test-dynamodb-local
endif

# What asks no database, or asks it nothing that the rest of the suite doesn't: Redis and Stripe are its subjects.
ANY_ENGINE := architecture:: degradation:: deployment:: dev_server:: fuzz harness:: history:: operator:: pricing:: \
	runbooks:: topologies:: whole_events:: \
	$(addprefix checkout::,alarms bad_input bill bootstraps cache_holds event_files growth hostile hot_product idempotency \
		identity limits metrics odd_copies order_cache reads redis_faults settings stampede) \
	$(addprefix payments::,amounts backlog crashes currencies declines documented machine methods poison \
		provider_truth saved_cards secrets)

BENCHED := get-session get-order initiate calculate-shipping calculate-tax confirm-order

.PHONY: bench
bench: ## Measure the functions as they are deployed, beside their limits, into docs/PERFORMANCE.md (minutes of linking)
	@scripts/setup dev
	$(say) "Building the functions of a purchase as they are deployed"
	@cargo build --release --locked $(addprefix --package ,empty $(BENCHED))
	$(say) "Measuring"
	@cargo run --quiet --package tests --example bench --locked

.PHONY: package
package: ## Build every function as it is deployed, on all processors at once, and package them (ARM64=1, ARGS="--parameter-overrides …")
	$(say) "Building every function as it is deployed"
	@cargo lambda build --release $(if $(ARM64),--arm64) $(addprefix --package ,$(notdir $(wildcard functions/*)))
	$(say) "Packaging"
	@sam build $(ARGS)

.PHONY: check
check: ## Before each commit: formatting, clippy, unit and architecture tests
	$(say) "Formatting"
	@cargo fmt --all --check
	$(say) "Clippy"
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	$(say) "Unit tests"
	@cargo test --package shared --lib --locked --quiet
	$(say) "Architecture"
	@cargo test --package tests --locked --quiet -- architecture::

.PHONY: test-dynamodb-local
test-dynamodb-local: ## Run the tests that need DynamoDB on AWS's own emulator (Java 17)
	@scripts/setup dynamodb-local
	$(say) "Testing, on redis-server and DynamoDB Local"
	@RUST_TEST_THREADS=$(CORES) TEST_DYNAMODB=local cargo test --package tests --locked -- $(addprefix --skip ,$(ANY_ENGINE))

.PHONY: lint
lint: ## Formatting, clippy, dependencies, the template
	@scripts/setup lint
	$(say) "Formatting"
	@cargo fmt --all --check
	$(say) "Clippy"
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	$(say) "Dependencies: bans, licences, sources"
	@cargo fetch --quiet --locked
	@cargo deny --offline --locked --log-level error check --hide-inclusion-graph bans licenses sources
	$(say) "Dependencies: no aws-lc"
	@! cargo tree --workspace --locked --target all --prefix none | grep -E '^aws-lc' \
		|| { echo 'aws-lc is back in the dependency tree: cargo tree --target all -i aws-lc-sys' >&2; exit 1; }
	$(say) "Template"
	@cfn-lint template.yaml docs/examples/consumer/template.yaml
	@sam validate --lint --region us-east-1 >/dev/null

.PHONY: client
client: ## Make a TypeScript client out of docs/openapi.json, and compile a purchase that uses it (npm)
	@scripts/setup client
	$(say) "The TypeScript client"
	@npm --prefix docs/examples/typescript run --silent client

.PHONY: browser
browser: ## Buy in the shop of `make dev` with a real Chromium, and look at each page with axe
	@scripts/setup browser
	@cargo build --workspace --locked
	$(say) "The shop, in Chromium"
	@scripts/browser

.PHONY: screenshots
screenshots: ## Take the pictures of the shop anew (docs/images)
	@scripts/setup browser
	@cargo build --workspace --locked
	@scripts/browser pictures

.PHONY: schemathesis
schemathesis: ## Hold a stack against docs/openapi.json with thousands of made-up requests (SECONDS_EACH=600 for a long run)
	@cargo build --workspace --locked
	@scripts/schemathesis

.PHONY: fmt
fmt: ## Format the code
	@cargo fmt --all

.PHONY: setup
setup: ## Set up what `make test` needs, into .tools/
	@scripts/setup test

.PHONY: load-catalog
load-catalog: ## Load the sample catalog into the stack of `make dev` (FILE=… for another)
	@cargo run --quiet --bin checkout -- catalog load $(or $(FILE),data/sample-catalog.json) --local $(ARGS)

.PHONY: clean-tools
clean-tools: ## Delete .tools/
	@rm -rf .tools
