# Every target says what it does; "make" alone lists them.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
# The tools of the project, at the versions that hack/tools/go.mod pins.
TOOL := $(GO) tool -modfile=hack/tools/go.mod
# How long each fuzz target runs.
FUZZTIME ?= 20s
# How long to torture, and which journal: embedded or jetstream.
MINUTES ?= 1
JOURNAL ?= embedded
# Flags of the end-to-end tests, such as -short, which leaves out what takes minutes.
E2EFLAGS ?=
# Flags of the measurements, such as "-o json" or "-only intake".
BENCHFLAGS ?=
# The version of "make release", and its flags, such as "-platforms linux/amd64".
VERSION ?=
RELEASEFLAGS ?=
# The container image that "make image" builds.
IMAGE ?= mailvane:dev

##@ Use

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run Mailvane on this machine with signed sample webhooks of every provider.
	@echo "Building. The first run compiles all dependencies and takes a few minutes."
	@$(GO) build -tags grpcnotrace -trimpath -o bin/mailvane ./cmd/mailvane
	@bin/mailvane demo

.PHONY: build
build: ## Build the programs into bin/.
	$(GO) build -tags grpcnotrace -trimpath -o bin/ ./cmd/...

.PHONY: image
image: ## Build the container image IMAGE (mailvane:dev).
	docker build --build-arg VERSION="$(VERSION)" -t $(IMAGE) .

.PHONY: release
release: ## Make all files of a release in dist/, without a container engine; VERSION=v1.2.3 (by default the chart's).
	@echo "Building for six platforms. The first run compiles all dependencies for each and takes half an hour."
	@$(GO) -C hack/release run . -C ../.. -version "$(VERSION)" $(RELEASEFLAGS)

##@ Develop

# Without DWARF (-w) two hundred test programs are linked in three fifths of the time; the race detector's reports do not need it. The linter vets.
.PHONY: test
test: control-plane nats-server s3-server otelcol ## Run all tests with the race detector, in random order.
	@echo "Compiling and running the tests. The first run compiles all dependencies and takes several minutes."
	$(GO) test -race -shuffle=on -vet=off -ldflags=-w -timeout 25m ./...

.PHONY: torture
torture: ## Kill receivers again and again for MINUTES (1) and count what is lost; JOURNAL=jetstream: NATS servers, too.
	@echo "Building, then torturing for $(MINUTES) minutes."
	@$(GO) run ./test/torture --minutes $(MINUTES) --journal $(JOURNAL)

.PHONY: bench
bench: control-plane ## Measure receivers and the manager against floors that are measured in the same run; BENCHFLAGS="-o json".
	@echo "Building, then measuring for some ten minutes. Leave the machine alone meanwhile."
	@mkdir -p bin && $(GO) build -o bin/bench ./test/bench && bin/bench $(BENCHFLAGS)

.PHONY: shape
shape: ## Measure the shape of the code: sizes, nesting, documentation, tests for each line of product.
	@$(GO) run ./hack/shape $(SHAPEFLAGS)

.PHONY: e2e
e2e: ## Install the chart into the cluster of KUBECONFIG, with the images MAILVANE_IMAGE and MAILVANE_LOAD_IMAGE.
	@echo "Testing on a real cluster. The first run builds Helm and takes several minutes."
	$(GO) test -tags e2e -count=1 -v -timeout 30m $(E2EFLAGS) ./test/e2e

.PHONY: e2e-cluster
e2e-cluster: ## Do so on a cluster of its own, which the programs in MAILVANE_K8S_DIR start and end.
	hack/e2e.sh $(E2EFLAGS)

.PHONY: control-plane
control-plane: ## Compile the API server that tests run against, unless it is there already.
	@$(GO) run ./hack/assets > /dev/null

# Before the tests, and not by the first that needs it: others have clocks, which a compiler beside them disturbs.
.PHONY: nats-server
nats-server: ## Compile the NATS server that tests run, unless it is there already.
	@echo "Making nats-server ready. The first time takes a minute or two."
	@$(GO) tool -modfile=hack/nats/go.mod -n nats-server > /dev/null

.PHONY: s3-server
s3-server: ## Compile the S3 server that tests run, unless it is there already.
	@echo "Making an S3 server ready. The first time takes a few minutes."
	@$(GO) -C hack/s3 tool -n s3 > /dev/null

.PHONY: otelcol
otelcol: ## Compile the OpenTelemetry Collector that tests run, unless it is there already.
	@echo "Making an OpenTelemetry Collector ready. The first time takes a minute."
	@$(GO) -C hack/otelcol tool -n otelcol > /dev/null

.PHONY: lint
lint: ## Check the code by the rules in .golangci.yml.
	@echo "Linting. The first run builds the linter and takes several minutes."
	$(TOOL) golangci-lint run

.PHONY: lint-api
lint-api: ## Check the types of the API by the rules of kube-api-linter in hack/kal/golangci.yml.
	@echo "Checking the API. The first run builds the linter and takes several minutes."
	$(GO) tool -modfile=hack/kal/go.mod golangci-lint-kube-api-linter run --config hack/kal/golangci.yml ./api/...

.PHONY: chart-lint
chart-lint: ## Check the Helm chart by Helm's rules and our own.
	@echo "Checking the chart. The first run builds Helm and takes several minutes."
	$(GO) tool -modfile=hack/helm/go.mod helm lint --strict charts/mailvane
	$(GO) test -count=1 ./charts

.PHONY: fmt
fmt: ## Format the code.
	$(TOOL) golangci-lint fmt

.PHONY: fuzz
fuzz: ## Fuzz every fuzz target for FUZZTIME (20s).
	@while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package"; \
	done < <(hack/fuzz-targets.sh)

##@ Generated code

.PHONY: generate
generate: ## Generate what follows from the list of providers and sinks, deep copies, custom resource definitions, roles, admission policies, the API reference and the event schema.
	$(GO) run ./hack/catalogue
	$(TOOL) controller-gen object crd paths=./api/... output:crd:dir=config/crd/bases
	$(TOOL) controller-gen rbac:roleName=mailvane-manager paths=./controllers/... paths=./cmd/manager/... output:rbac:dir=config/rbac
	@mkdir -p docs/reference charts/mailvane/files/crds
	$(GO) run ./hack/policies > config/policy/policies.yaml.new
	@mv config/policy/policies.yaml.new config/policy/policies.yaml
	cp config/policy/policies.yaml charts/mailvane/files/
	cp config/crd/bases/*.yaml charts/mailvane/files/crds/
	cp config/rbac/role.yaml charts/mailvane/files/
	$(GO) run ./hack/apidocs > docs/reference/api.md.new
	@mv docs/reference/api.md.new docs/reference/api.md
	$(GO) run ./hack/eventschema > docs/reference/event.v1.json.new
	@mv docs/reference/event.v1.json.new docs/reference/event.v1.json

.PHONY: verify
verify: ## Fail when generated files or go.mod are not up to date.
	hack/verify.sh
