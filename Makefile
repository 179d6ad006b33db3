# `make help` lists the targets. What a target needs it sets up by itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# What the demo boots; see `make help`.
FIRMWARE ?= bios
BOOT ?= pxe
ACCEL ?= auto
# Virtual machines, and other tests, that run side by side.
VMS ?= 2
JOBS ?= 2
SIDE_BY_SIDE = $(MAKE) --no-print-directory --jobs=$(JOBS) --output-sync=target

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | \
	  awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'
	@echo
	@echo "  make demo takes FIRMWARE=bios|uefi BOOT=pxe|usb ACCEL=auto|kvm|tcg"

.PHONY: setup
setup: ## Install what building and testing need (Debian packages, .venv)
	@tools/setup

.PHONY: demo
demo: setup ## From a kickstart to a node, installed over PXE and registered with a server
	@$(BIN)/python -m demo --firmware $(FIRMWARE) --boot $(BOOT) --accel $(ACCEL)

.PHONY: demo-shell
demo-shell: ## Log in to the node that the last demo made
	@$(BIN)/python -m demo --shell

.PHONY: test
test: lint types layers ## Everything that must pass
	@echo "test-unit and test-oldest, $(JOBS) side by side; each speaks when it is over"
	@$(SIDE_BY_SIDE) test-unit test-oldest
	@echo "test-plugins, test-server, test-cobbler, test-loop and test-image likewise"
	@$(SIDE_BY_SIDE) test-plugins test-server test-cobbler test-loop test-image
	@$(MAKE) --no-print-directory test-vm

.PHONY: lint
lint: setup ## Style of Python and shell
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@shellcheck tools/setup tools/cobbler-venv $$(git ls-files '*.sh')

.PHONY: types
types: setup ## mypy, strict
	@$(BIN)/mypy

.PHONY: layers
layers: setup ## Which room may import which
	@$(BIN)/lint-imports

.PHONY: test-unit
test-unit: setup ## No root, no network, two minutes (ROOM=persist: seconds)
	@$(PYTEST) tests/unit/$(ROOM)

.PHONY: test-plugins
test-plugins: setup ## Plugins from outside in their host, misbehaving ones too (processes)
	@$(PYTEST) -p no:faulthandler tests/plugins

.PHONY: test-oldest
test-oldest: setup ## Types and unit tests with the versions that Debian 13 has, which the image uses
	@tools/oldest-venv
	@.venv-oldest/bin/mypy
	@.venv-oldest/bin/python -m pytest tests/unit

.PHONY: test-server
test-server: setup ## node-server over TLS, on SQLite and PostgreSQL, nodes included
	@$(PYTEST) tests/server

.PHONY: test-cobbler
test-cobbler: setup ## A real cobbler in a mount namespace (root)
	@tools/cobbler-venv
	@$(PYTEST) tests/cobbler

.PHONY: test-loop
test-loop: setup ## Real partitioning and copying on loop devices (root)
	@$(PYTEST) -m "loop and not soak" tests/loop

.PHONY: test-image
test-image: setup ## Real builds of images
	@$(PYTEST) -m "image and not soak" tests/image

.PHONY: test-vm
test-vm: setup ## QEMU boots what we built
	@NODECRUST_VM_PATIENCE=2 $(PYTEST) -p no:syrupy -m "vm and not soak and not more" -n $(VMS) --dist loadfile \
	  --no-loadscope-reorder --durations=12 tests/vm

.PHONY: test-vm-more
test-vm-more: setup ## The stories in QEMU that make test has no time for (about an hour)
	@NODECRUST_VM_PATIENCE=2 $(PYTEST) -p no:syrupy -m "vm and more and not soak" -n $(VMS) --dist loadfile \
	  --no-loadscope-reorder tests/vm

.PHONY: soak
soak: test-vm-more ## The long versions: every power cut, fuzzing
	@HYPOTHESIS_PROFILE=soak $(PYTEST) -m hypothesis tests/unit
	@$(PYTEST) -m soak tests/loop
	@$(PYTEST) -m soak -n $(VMS) --dist loadfile --no-loadscope-reorder tests/image tests/vm

.PHONY: bench
bench: setup ## Benchmarks against peers and limits (ONLY=NAME for one); writes docs/benchmarks.md
	@$(BIN)/python -m bench $(ONLY)

.PHONY: docs
docs: setup ## Write the generated pages of docs/ anew
	@$(BIN)/python -m node.installer.docs
	@$(BIN)/python -m node.cli.config_docs
	@$(BIN)/python -m node.cli.hook_docs
	@$(BIN)/python -m node.cli.type_docs

.PHONY: clean
clean: ## Remove what the targets made in this folder; the cache outside it stays
	@rm -rf build .venv .venv-oldest .venv-cobbler .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
