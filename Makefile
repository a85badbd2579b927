# The commands of the project. `make demo` and `make test` work on a fresh Debian machine that has Go and make.

SHELL := /bin/bash
.DEFAULT_GOAL := build

# A release is its tag; everything else is named after its commit.
VERSION ?= $(shell git describe --tags --always --dirty --abbrev=12 2>/dev/null || echo devel)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)

# The same sources give the same bytes: no paths, no time, no state of the work tree other than the version.
STAMP := -X github.com/pgseal/pgseal/core/version.stamped=$(VERSION) -X github.com/pgseal/pgseal/core/version.commit=$(COMMIT)
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= $(STAMP)'

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.11

.PHONY: build demo test docs-test race load sim mutate fuzz vuln tofu bench lint package release release-test clean

build: bin/pgseal bin/bootstrap-arm64 bin/bootstrap-amd64 bin/gcp-server bin/azure-handler bin/webhook-arm64 bin/webhook-amd64

# go build knows best what is stale.
.PHONY: bin/pgseal bin/pgseal-arm64 bin/pgseal-amd64 bin/bootstrap-arm64 bin/bootstrap-amd64 bin/gcp-server bin/azure-handler bin/webhook-arm64 bin/webhook-amd64
# Google's library can speak gRPC, which nobody here does: 13 MB less.
bin/pgseal:
	$(GOBUILD) -tags disable_grpc_modules -o $@ ./uploader/pgseal
bin/pgseal-arm64 bin/pgseal-amd64: bin/pgseal-%:
	GOOS=linux GOARCH=$* $(GOBUILD) -tags disable_grpc_modules -o $@ ./uploader/pgseal
bin/bootstrap-arm64 bin/bootstrap-amd64: bin/bootstrap-%:
	GOOS=linux GOARCH=$* $(GOBUILD) -tags lambda.norpc -o $@ ./functions/aws
bin/azure-handler:
	GOOS=linux GOARCH=amd64 $(GOBUILD) -o $@ ./functions/azure
bin/webhook-arm64 bin/webhook-amd64: bin/webhook-%:
	GOOS=linux GOARCH=$* $(GOBUILD) -o $@ ./functions/webhook
# What is deployed is built by Google from its source; this one is for running the function elsewhere.
bin/gcp-server:
	$(GOBUILD) -tags disable_grpc_modules -o $@ ./functions/gcp/server

demo: bin/pgseal
	scripts/install-deps demo
	scripts/demo bin/pgseal

test:
	scripts/test

# The end-to-end tests under the race detector, which watches the test servers and what runs in the tests' own process: an hour
# on two processors.
race:
	scripts/install-deps test terraform
	cd e2e && CGO_ENABLED=1 go test -race -count=1 -timeout 60m -p 2 ./...

# Five thousand WAL segments by eight callers, with repeats and lost answers, under the race detector.
load:
	scripts/install-deps test
	cd e2e && CGO_ENABLED=1 go test -race -count=1 -timeout 60m -run TestUnderLoad ./walarchive_test -segments 5000

# Every command of the quick starts and of the migration, as they stand in docs/.
docs-test:
	scripts/install-deps test terraform
	cd e2e && go test -count=1 -timeout 20m -v ./docs_test

# The Terraform modules' tests once more, under OpenTofu.
tofu:
	scripts/install-deps terraform tofu
	PGSEAL_TERRAFORM=$$(ls -d $${PGSEAL_CACHE:-/var/tmp/pgseal-cache}/tofu/*/tofu | tail -1) go test -count=1 -timeout 15m -run TestModules ./terraform/

# All histories of core/sim: every fault and every pair, and SEEDS random ones. On two processors some 5 minutes and
# 2 minutes for each 10,000 seeds.
SEEDS ?= 100000
sim:
	set -o pipefail; go test -timeout 0 -v -run 'TestEveryFault|TestRandomHistories' ./core/sim -every 1 -seeds $(SEEDS) | grep -v '^=== '

# Each safeguard taken away on its own: does its test turn red? Some 8 minutes on two processors.
mutate:
	go run ./scripts/mutate

# Every fuzz target for FUZZTIME, one after the other.
FUZZTIME ?= 10m
fuzz:
	scripts/fuzz $(FUZZTIME)

# Known vulnerabilities of what is linked; needs Go's vulnerability database (vuln.go.dev).
vuln:
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...

# Measures everything beside its peers, twenty minutes on a quiet machine, and writes docs/performance.md and its charts.
bench:
	scripts/install-deps bench
	results=$$(mktemp -d) && cd e2e && \
	{ PGSEAL_BENCH_RESULTS=$$results go test -run '^$$' -bench . -benchtime 1x -timeout 120m ./bench; failed=$$?; } ; \
	go run ./cmd/benchreport $$results ../docs && exit $$failed

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt these: $$unformatted"; exit 1; }
	go vet ./...
	cd e2e && go vet ./...
	go mod tidy -diff
	cd e2e && go mod tidy -diff
	cd terraform/schemaprovider && go vet ./... && go mod tidy -diff
	go run $(ACTIONLINT)
	shellcheck scripts/install-deps scripts/demo scripts/test scripts/fuzz scripts/release-test .ci/run
	go run $(GOLANGCI_LINT) run ./...
	cd e2e && go run $(GOLANGCI_LINT) run --config ../.golangci.yml ./...
	cd terraform/schemaprovider && go run $(GOLANGCI_LINT) run --config ../../.golangci.yml ./...

package: bin/bootstrap-arm64 bin/bootstrap-amd64 bin/azure-handler bin/webhook-arm64 bin/webhook-amd64
	go run ./scripts/package lambda dist/aws-arm64.zip bin/bootstrap-arm64
	go run ./scripts/package lambda dist/aws-amd64.zip bin/bootstrap-amd64
	go run ./scripts/package gcp dist/gcp-source.zip $(VERSION)
	go run ./scripts/package azure dist/azure.zip bin/azure-handler
	go run ./scripts/package webhook dist/webhook-arm64.zip bin/webhook-arm64
	go run ./scripts/package webhook dist/webhook-amd64.zip bin/webhook-amd64

# All that is released, in dist/release: archives, packages for dpkg and rpm, the functions, bills of materials, sums. One
# commit gives the same bytes everywhere, which release-test tries in two clones.
release: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
release: bin/pgseal-amd64 bin/pgseal-arm64 bin/gcp-server package
	@[ -z "$$(git status --porcelain)" ] || { echo "a release is made of a commit, and there is more in the work tree"; exit 1; }
	go run ./scripts/release $(VERSION)

release-test:
	scripts/install-deps release
	scripts/release-test

clean:
	rm -rf bin dist
