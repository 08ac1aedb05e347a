# SPDX-License-Identifier: Apache-2.0
# The short front of CMake: `make help` lists what there is. Presets are in CMakePresets.json, longer recipes in .ci/.
SHELL := bash -o pipefail
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build
.PHONY: build run report test test-fast asan tsan tsan-all fuzz aarch64 wasm format lint install uninstall python-test web web-serve web-test sst2 bert-base clean help

# As many compilers as there are cores, but no more than memory has room for (1.5 GB each).
JOBS ?= $(shell cat /proc/meminfo /sys/fs/cgroup/memory.max 2>/dev/null | awk -v cores=$$(nproc) \
	'/^MemAvailable/ { kb = $$2 } /^[0-9]+$$/ && $$1 / 1024 < kb { kb = $$1 / 1024 } \
	END { n = int(kb / 1500000); print n < 1 ? 1 : n < cores ? n : cores }')
PREFIX ?= /usr/local
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
SOURCES = $(shell find core nn optim compress data apps tests -name '*.h' -o -name '*.cpp' 2>/dev/null | sort)

# $(call configure,PRESET,DIR): only where it has not been done yet; later CMake sees by itself what has changed.
configure = test -f $(2)/cmake_install.cmake || cmake --fresh --preset $(1) \
	-G "$$(ninja --version >/dev/null 2>&1 && echo Ninja || echo Unix Makefiles)" \
	$$(command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# $(call compile,PRESET,DIR,TARGET)
compile = .ci/setup && { $(call configure,$(1),$(2)); } && cmake --build $(2) --parallel $(JOBS) --target $(or $(3),all)
# $(call check,DIR,OPTIONS): runs the tests in DIR; ARGS hands further options to CTest, such as ARGS='-R tokenizer'.
check = ctest --test-dir $(1) --output-on-failure --no-tests=error --parallel $(JOBS) $(2) $(ARGS)

build: ## install what is missing, then build the programs into build/apps (the default)
	@$(call compile,release,build)

run: ## build the programs, get an encoder and data, fine-tune for a minute, evaluate, predict; ESPALIER_STEPS=N, ESPALIER_DATA=DIR
	@$(call compile,release,build,programs)
	@.ci/quickstart

report: ## fine-tune, prune, fine-tune again, int8, a small student, then a page that compares them; stopped, it goes on; ESPALIER_STEPS=N, ESPALIER_DATA=DIR
	@$(call compile,release,build,programs)
	@.ci/report-chain

test: build ## build and run every test; ARGS='-R NAME' picks some
	@$(call check,build)

test-fast: build ## build and run the tests that take less than two minutes together
	@$(call check,build,--label-regex fast)

asan: ## the fast tests under the address and undefined-behaviour sanitizers
	@$(call compile,asan,build-asan)
	@$(call check,build-asan,--label-regex fast)

tsan: ## core's tests, one model that many threads ask and a training run under the thread sanitizer
	@$(call compile,tsan,build-tsan,tests_core tests_inference train_sst2)
	@.ci/tsan

tsan-all: ## all fast tests under the thread sanitizer, which takes long
	@$(call compile,tsan,build-tsan)
	@TSAN_OPTIONS="suppressions=$(CURDIR)/.ci/tsan.supp:allocator_may_return_null=1" $(call check,build-tsan,--label-regex fast)

fuzz: ## run the fuzz targets for ESPALIER_FUZZ_SECONDS=N each (20), with clang's libFuzzer
	@.ci/setup clang
	@$(call compile,fuzz,build-fuzz,fuzz_targets)
	@.ci/fuzz

aarch64: ## build the runtime for AArch64 with Debian's cross compiler and run its tests under qemu-user
	@.ci/setup g++-aarch64-linux-gnu qemu-user googletest
	@$(call compile,aarch64,build-aarch64)
	@$(call check,build-aarch64)

wasm: ## build the runtime as WebAssembly with Emscripten and run its tests under Node.js
	@.ci/setup emscripten nodejs googletest
	@$(call compile,wasm,build-wasm)
	@$(call check,build-wasm)

format: ## format all sources
	@.ci/setup clang-format
	@$(CLANG_FORMAT) -i $(SOURCES)

lint: ## check the format and run clang-tidy
	@.ci/setup clang-format clang-tidy
	@$(CLANG_FORMAT) --dry-run --Werror $(SOURCES)
	@$(call configure,release,build)
	@JOBS=$(JOBS) CLANG_TIDY=$(CLANG_TIDY) .ci/lint

install: ## build and install programs, libraries, headers, recipes, manual pages, completion and docs; PREFIX=DIR (default /usr/local)
	@$(call compile,release,build,programs)
	@cmake --install build --prefix $(PREFIX)

uninstall: ## remove what the last installation below PREFIX=DIR has put there
	@xargs -d '\n' rm -f -- <$(PREFIX)/share/espalier/manifest.txt
	@find $(PREFIX) -depth -type d -path '*espalier*' -empty -delete

python-test: ## build the Python package in build-python/venv and run its tests; skipped where pip finds no packages
	@.ci/setup python3-venv python3-dev
	@$(call compile,release,build,programs)
	@CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) .ci/python-test

web: ## build the browser page and its model into build-web/site; ESPALIER_MODEL=FILE.edge or FILE.h5
	@.ci/setup emscripten nodejs googletest
	@$(call compile,release,build,programs)
	@$(call compile,wasm,build-wasm,espalier_web)
	@.ci/web

web-serve: ## show that page at http://localhost:8000
	@python3 -m http.server --bind 127.0.0.1 --directory build-web/site 8000

web-test: web ## check that page in headless Chromium
	@.ci/web-test || [ $$? = 77 ]

sst2: ## download GLUE's SST-2 into runs/data/sst2 (needs the internet; not yet tried for want of one)
	@.ci/fetch-sst2

bert-base: ## download bert-base-uncased into runs/models/bert-base-uncased (likewise)
	@.ci/fetch-bert-base

clean: ## remove what was built; runs/ with its models and data stays
	@rm -rf build build-asan build-tsan build-fuzz build-debug build-aarch64 build-wasm build-web build-python

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
