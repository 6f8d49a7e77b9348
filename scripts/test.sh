#!/usr/bin/env bash
# Does everything work? Stops at the first stage that fails, and says which one last.
source "$(dirname "$0")/environment.sh"

# passed NAME: how many tests NAME.log counts.
passed() {
  awk '/^test result: ok/ { total += $4 } END { printf "    %d tests passed\n", total }' "$LOGS/$1.log"
}

engine() {
  step test-engine "tests of the engine and of the mock API" cargo test -p rest_engine -p mock-api
  passed test-engine
}

inside_the_server() {
  step test-pg "tests inside PostgreSQL $PG (debug build)" scripts/pg_test.sh
  passed test-pg
}

whole_server() {
  [[ -d pgrx-tests/cluster-tests ]] || return 0
  step test-cluster "tests of the release build on a server of its own" scripts/cluster.sh scripts/cluster_tests.sh
  passed test-cluster
}

examples() {
  step test-examples "the examples print what they should" \
    scripts/cluster.sh scripts/mock_api.sh scripts/check_examples.sh
}

documentation() {
  step test-docs "the SQL in README.md and docs/ runs" \
    scripts/cluster.sh scripts/mock_api.sh scripts/doc_examples.sh README.md docs/*.md
}

# The stages are separate processes' worth of work, so a stage's failure ends the script through `set -e`,
# with the line of `step` that names it as the last one.
cd "$ROOT"
scripts/setup.sh test
engine
lock_server
inside_the_server
scripts/install.sh
step mock-api "building the mock API" cargo build --release -p mock-api
whole_server
examples
documentation
say "all tests passed"
