# Everything is made by these targets; each installs what it needs below this folder, and as root also Chromium and Valgrind.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
TOOLS := target/tools
export PATH := $(CURDIR)/$(TOOLS)/bin:$(PATH)
# The toolchain is the one that is installed; nothing is fetched behind the user's back.
export RUSTUP_AUTO_INSTALL := 0
# The servers of demo and tests are on this machine, which no proxy knows.
export NO_PROXY := 127.0.0.1,localhost,$(or $(NO_PROXY),$(no_proxy))
export no_proxy := $(NO_PROXY)
# Two installations at once would meet in one folder.
.NOTPARALLEL:

# One place for the versions of the tools that are built here.
NEXTEST := cargo-nextest@0.9.143
DENY := cargo-deny@0.20.2
MACHETE := cargo-machete@0.9.2
FUZZ := cargo-fuzz@0.13.2

.PHONY: demo test check test-rust test-engines test-network format clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make demo    build, pull a simulated vendor's events, and look at the tables"
	@echo "make test    all tests"
	@echo "make check   formatting, lints, layers, docs, dependencies"
	@echo "make advisories  which libraries have known holes"
	@echo "make soak    a third of all requests failing, and days of runs that fail, with many more seeds"
	@echo "make torn    a store that fails at every operation, a folder and S3"
	@echo "make fuzz    ten minutes of random answers through the decoder"
	@echo "make bench   what it takes, beside what other tools take: docs/benchmarks.md"
	@echo "make guard   the figures of instructions and memory that make test compares with"
	@echo "make lambda  the zip for AWS Lambda; ARCHITECTURE=x86_64 instead of arm64"
	@echo "make test-package  the functions' tests with that zip"
	@echo "make lambda-local  the function on this machine, for cargo lambda invoke"
	@echo "make screenshots  the pictures of the pages in the docs"
	@echo "make snapshots  what each command shows, which make test compares with"
	@echo "make docs    docs/tables.md and infra/catalog.json, from the list of columns"
	@echo "make format  format the code"

demo: build $(VENV)/installed
	@$(VENV)/bin/python samples/demo.py

test: test-rust test-engines test-network test-pages test-readme test-infra test-guard

# The tests run beside a real S3 server, which ends with them.
S3 := $(VENV)/bin/python tests/s3/serve.py

test-rust: $(VENV)/installed | nextest
	INSTA_UPDATE=no $(S3) cargo nextest run --workspace --locked
	cargo test --workspace --locked --doc --quiet

test-engines: build $(VENV)/installed
	@java -version >/dev/null 2>&1 || { echo "Spark, one of the engines, needs Java 17 or later: install it" >&2; exit 1; }
	$(VENV)/bin/python -m pytest tests/engines -q

test-network: build $(VENV)/installed
	$(VENV)/bin/python -m pytest tests/network -q

# Every command of the READMEs, run as it stands there.
.PHONY: test-readme
test-readme: build $(VENV)/installed
	$(VENV)/bin/python -m pytest tests/readme -q

# The pages in a real browser.
.PHONY: test-pages chromium
test-pages: build $(VENV)/installed-pages | chromium
	$(VENV)/bin/python -m pytest tests/pages -q -rs

chromium:
	@chromium --version >/dev/null 2>&1 || apt-get install --yes --quiet --no-install-recommends chromium >/dev/null 2>&1 || true

$(VENV)/installed-pages: tests/pages/requirements.txt $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/pages/requirements.txt
	@touch $@

# The pictures of the pages in the docs, and what a large page takes. Chinese letters need a font that has them, such as
# Debian's fonts-noto-cjk.
.PHONY: screenshots
screenshots: build $(VENV)/installed-pages | chromium
	$(VENV)/bin/python tests/pages/screenshots.py

# The functions under the emulator of Lambda's runtime, the fan-out, and Terraform over an AWS of this machine. What cannot
# be had, such as Terraform, is skipped, and the last lines say so.
test-infra: build $(VENV)/installed-infra
	$(S3) $(VENV)/bin/python -m pytest tests/infra -q -rs

$(VENV)/installed-infra: tests/infra/requirements.txt $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/infra/requirements.txt
	@touch $@

# What is deployed: target/lambda/rollcall-lambda/bootstrap.zip, and its SHA-256. `make lambda ARCHITECTURE=x86_64` for the
# other architecture. Zig makes it run on Lambda's own, older C library.
ARCHITECTURE ?= arm64
PACKAGE := target/lambda/rollcall-lambda/bootstrap.zip
.PHONY: lambda lambda-local test-infra
lambda: $(VENV)/installed-infra
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" RUSTUP_DIST_SERVER=http://127.0.0.1:9 cargo lambda build --release --locked \
		--bin rollcall-lambda --output-format zip --skip-target-check $(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64)
	$(VENV)/bin/python infra/package.py $(PACKAGE)

# The tests of the functions with the package itself, for this machine's architecture.
NATIVE := $(subst aarch64,arm64,$(shell uname -m))
.PHONY: test-package
test-package: build $(VENV)/installed-infra
	$(MAKE) lambda ARCHITECTURE=$(NATIVE)
	cd $(dir $(PACKAGE)) && $(PYTHON) -m zipfile -e bootstrap.zip . && chmod +x bootstrap
	ROLLCALL_BOOTSTRAP="$(CURDIR)/$(dir $(PACKAGE))bootstrap" $(S3) $(VENV)/bin/python -m pytest \
		tests/infra/test_lambda.py tests/infra/test_fanout.py -q -rs

# The function on this machine, over the simulated vendor and ./rollcall-demo, until it is stopped.
lambda-local: build $(VENV)/installed-infra
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python samples/lambda_local.py

# Instructions and memory of a small answer, beside the stored figures. `make guard` stores those of today.
test-guard: build | valgrind
	@if valgrind --version >/dev/null 2>&1; \
	then $(PYTHON) tests/bench/guard.py; \
	else echo "SKIPPED: instructions and memory are not counted, for there is no valgrind" >&2; fi

.PHONY: guard test-guard valgrind
guard: build | valgrind
	$(PYTHON) tests/bench/guard.py --write

valgrind:
	@valgrind --version >/dev/null 2>&1 || apt-get install --yes --quiet valgrind >/dev/null 2>&1 || true

# What takes longer than every change should wait for: many more seeds of failing requests.
.PHONY: soak
soak: | nextest
	ROLLCALL_SEEDS=20 ROLLCALL_HISTORIES=200 cargo nextest run --locked --test it \
		-E 'test(with_a_third) or test(/^histories::/)'

# Every operation of a sync that can fail, where `make test` takes some. ROLLCALL_STRIDE does the same to the other tests that go
# by operations: those of forgetting, of privacy, and of runs that meet.
.PHONY: torn
torn: $(VENV)/installed | nextest
	ROLLCALL_STRIDE=1 $(S3) cargo nextest run --locked --test it -E 'test(/^torn::/)'

# Ten minutes of answers that nobody would send. The compiler's own instrumentation needs its nightly options.
.PHONY: fuzz
fuzz: | fuzzer
	mkdir -p target/fuzz/corpus
	RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none decode \
		target/fuzz/corpus tests/fuzz/corpus/decode -- \
		-max_total_time=600 -max_len=8192 -print_final_stats=1

check: | deny machete
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(PYTHON) tests/layers.py
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet
	cargo machete
	cargo deny --workspace check --hide-inclusion-graph licenses bans sources

# Not part of check: what passes today must not fail tomorrow because a hole was found somewhere.
.PHONY: advisories
advisories: | deny
	cargo deny --workspace check --hide-inclusion-graph advisories

# What it takes, beside what other tools take: half an hour once the release is built. Best on a machine that does nothing else.
.PHONY: bench
bench: $(VENV)/installed-bench | valgrind
	cargo build --release --workspace --locked
	$(MAKE) lambda ARCHITECTURE=$(NATIVE)
	$(S3) $(VENV)/bin/python tests/bench/bench.py
	$(PYTHON) infra/costs.py --write

$(VENV)/installed-bench: tests/bench/requirements.txt $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/bench/requirements.txt
	@touch $@

# What is made from the list of columns and committed; a test says when it is not up to date.
.PHONY: docs
docs: build
	target/debug/rollcall schema markdown > docs/tables.md
	target/debug/rollcall schema glue > infra/catalog.json

# What the commands show, as they show it now: look at the difference before it is committed.
.PHONY: snapshots
snapshots: | nextest
	INSTA_UPDATE=always cargo nextest run --locked --test it -E 'test(/^output::/)'

format:
	cargo fmt --all

clean:
	cargo clean
	rm -rf $(VENV)

.PHONY: build
build:
	cargo build --workspace --locked

$(VENV)/installed: tests/requirements.txt tests/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: name one, as in PYTHON=python3.12")'
	$(PYTHON) -m venv $$(test -L $(VENV) || echo --clear) $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt -c tests/constraints.txt
	@touch $@

# A tool that is already there is used as it is; else the pinned version is built below `target`, unoptimised, because it runs for
# moments.
INSTALL := cargo install --quiet --locked --debug --root $(TOOLS)
.PHONY: nextest deny machete fuzzer
fuzzer:
	@cargo fuzz --version >/dev/null 2>&1 || $(INSTALL) $(FUZZ)
nextest:
	@cargo nextest --version >/dev/null 2>&1 || $(INSTALL) $(NEXTEST)
deny:
	@cargo deny --version >/dev/null 2>&1 || $(INSTALL) $(DENY)
machete:
	@cargo machete --version >/dev/null 2>&1 || $(INSTALL) $(MACHETE)
