# The commands of this project. CI runs `make test` and nothing else.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: build test check unit cross dist test-packages reproduce e2e fuzz bench figures

build: ## the program, in ./extwatch
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o extwatch .

test: check unit cross dist e2e ## everything that CI runs

check: ## formatting, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags figures ./e2e
	$(GO) vet -tags packages ./e2e
	$(GO) run $(STATICCHECK) ./...

# What starts the program or signs some hundred times takes minutes with the race detector, and has its goroutines elsewhere:
# the transcripts, the publisher, and the feed's crashes and full disks.
CRASHES = 'Kill|FullDisk|FillTheDisk'
unit: ## all tests but those that need real browsers, with the race detector
	$(GO) test -race -short -timeout 15m $$($(GO) list ./... | grep -v -e /extwatch$$ -e /e2e$$ -e /signatures/feed$$ -e /publisher$$)
	$(GO) test -short -timeout 15m . ./signatures/feed/publisher
	$(GO) test -race -short -skip $(CRASHES) -timeout 15m ./signatures/feed
	$(GO) test -short -run $(CRASHES) -timeout 15m ./signatures/feed
	$(GO) test -timeout 15m ./signatures

cross: ## vet finds nothing in the files of the other systems (`make dist` builds them all)
	GOOS=windows CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin CGO_ENABLED=0 $(GO) vet ./...

dist: ## every package for every system, in dist/ (installer/dist says what it needs)
	GO=$(GO) installer/dist

test-packages: dist ## every package as far as it can be tried here: MSI under Wine, rpm, pacman, lintian, signatures (see CONTRIBUTING.md for what to install)
	$(GO) test -tags packages -count=1 -timeout 30m -v -run TestPackage ./e2e

reproduce: ## every package twice, from two folders, and the same bytes
	GO=$(GO) installer/reproduce

e2e: ## the program against real Chromium and Firefox, and the Windows program under Wine (see CONTRIBUTING.md for what to install)
	$(GO) test -count=1 -timeout 12m ./e2e

figures: ## the service with all its real parts, slowly: chain, blocks, troubles, figures (40 minutes, as root; see bench/README.md)
	$(GO) test -tags figures -count=1 -timeout 90m -v -run '$${FIGURES:-TestTheWholeChain|TestBlock|TestDiskFull|TestHangingHome|TestFigure}' ./e2e

fuzz: ## each fuzz target for a while: make fuzz FUZZTIME=5m
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do d=$$(dirname $$f); \
	for n in $$(grep -ohE '^func Fuzz[A-Za-z0-9_]+' $$f | sed 's/func //'); do echo "$$d $$n"; $(GO) test $$d -run '^$$' -fuzz "^$$n$$" -fuzztime $${FUZZTIME:-20s} -fuzzminimizetime 10x; done; done

bench: ## figures against peers; needs trees, see bench/README.md
	./bench/run
