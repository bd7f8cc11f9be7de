# The commands of the project; `make help` lists them. Two matter first: `make demo` and `make test`.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where Cargo builds: CARGO_TARGET_DIR when set; else a folder `target` beside the clone when there is one, so
# that fresh clones share what is built already; else Cargo's own choice.
ifndef CARGO_TARGET_DIR
ifneq ($(wildcard ../target/.),)
export CARGO_TARGET_DIR := $(abspath ../target)
endif
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

WEB_INSTALLED := web/node_modules/.package-lock.json
WEB_BUILT := web/dist/index.html
WEB_SOURCES := $(shell find web/src web/public -type f 2>/dev/null) $(wildcard web/*.html web/*.json web/*.ts)

.PHONY: help setup setup-build web build demo test test-spark sim bench dist clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

setup: ## install what building and testing need and is not there yet
	@.ci/setup test

setup-build:
	@.ci/setup build

$(WEB_INSTALLED): web/package.json web/package-lock.json | setup-build
	@echo "==> pages: fetching packages"
	@# Some registries lack builds of optional packages for other systems; the lock file made there lacks them too, and
	@# `npm ci` then refuses it. `npm install` takes the locked versions and looks up only what the lock file lacks.
	@cd web && { npm ci --silent --no-audit --no-fund || npm install --no-save --no-audit --no-fund; }
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	@echo "==> pages: building"
	cd web && npm run --silent build
	@touch $@

web: $(WEB_BUILT) ## build the pages, when their sources changed

build: setup-build web ## build pages and binary
	@echo "==> binary: building (the first time takes a while)"
	@# The workspace's features, those of the tests, so that the query engine is not built a second time for `make test`.
	cargo build --locked --workspace --bin jingling

demo: build ## run Tianmen as a demonstration in ./demo-city; Ctrl-C ends it, the next run goes on
	@exec "$(TARGET)/debug/jingling" demo ./demo-city

test: setup web ## formatting, lints, tidy, licences, all tests, end-to-end tests in a browser
	@cargo xtask test

test-spark: setup ## Spark (500 MB from PyPI) reads the folder of a lake while it is written
	cargo test --locked --package lake --test all -- foreign:: --ignored --nocapture

SEEDS ?= 30000
LAKE_SEEDS ?= 10000
sim: setup-build ## the stores on a simulated disk, SEEDS=30000 of them, LAKE_SEEDS=10000 with the lake
	@cargo xtask sim --seeds $(SEEDS) --lake-seeds $(LAKE_SEEDS)
	cargo nextest run --locked --package faults --run-ignored only

bench: setup-build web ## compare with peers: every bench/*/run, one after another
	cargo build --locked --release --package jingling
	@for run in bench/*/run; do echo "==> $$run"; "$$run"; done

dist: setup-build web ## a release archive in dist/
	CARGO_PROFILE_RELEASE_LTO=thin cargo build --locked --release --package jingling
	@mkdir -p dist
	@tar -czf dist/jingling-$(VERSION)-$$(uname -m).tar.gz --transform 's,^,jingling-$(VERSION)/,' \
	  LICENSE README.md README.zh-CN.md CHANGELOG.md -C "$(TARGET)/release" jingling
	@ls -l dist/

clean: ## remove what was built here (not ./demo-city, not a target folder outside)
	rm -rf target dist web/dist web/node_modules
