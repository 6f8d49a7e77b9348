# What can be done here. The logic is in scripts/, one question a file.
#
#   PG=16            another major version of PostgreSQL (default 15)
#   PG_CONFIG=PATH   its pg_config, where it is not Debian's
#   V=1              show the output of every step

PG ?= 15
export PG
ifdef PG_CONFIG
export PG_CONFIG
endif
ifdef V
export V
endif

.DEFAULT_GOAL := help
.PHONY: help demo shell test oracle fuzz lint install package bench micro-bench accept-examples clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## run the earthquake example on a throwaway server
	@scripts/demo.sh

shell: ## the same server and tables, ending in psql
	@scripts/demo.sh --shell

test: ## run every test
	@scripts/test.sh

oracle: ## random queries, foreign against local, until one differs (ORACLE_ARGS='--dialect odata --minutes 5')
	@scripts/oracle_open_ended.sh

fuzz: ## random input for decoder, paging, options and encoders, FUZZ_SECONDS (60) a target; needs nightly and cargo-fuzz
	@scripts/fuzz.sh

lint: ## check formatting, clippy and the shell scripts
	@scripts/lint.sh

install: ## build in release mode and install into the server of PG_CONFIG
	@scripts/install.sh

package: ## build the files of a release below target/release
	@scripts/package.sh

bench: ## measure speed on a throwaway server
	@scripts/bench.sh

micro-bench: ## measure decoding, encoding and Datum conversion by themselves (Criterion)
	@scripts/microbench.sh

accept-examples: ## write what the examples print now as what they should print
	@scripts/accept_examples.sh

clean: ## remove everything that was built here
	@cargo clean
