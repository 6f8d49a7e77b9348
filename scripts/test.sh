#!/usr/bin/env bash
# Does everything work? Stops at the first stage that fails, and says which one last.
source "$(dirname "$0")/environment.sh"

total=0
PRELOADED="CLUSTER_SETTINGS=shared_preload_libraries = 'rest_fdw'"

# passed NAME: says how many tests NAME.log counts, and adds them up.
passed() {
  local count
  count="$(awk '/^test result: ok/ { total += $4 } END { print total + 0 }' "$LOGS/$1.log")"
  [[ $count -gt 0 ]] || fail "no test ran; the output is in $LOGS/$1.log"
  say "$count tests passed"
  total=$((total + count))
}

engine() {
  step test-engine "tests of the engine, of the mock API and of the oracle" \
    cargo test -p rest_engine -p mock-api -p oracle -p real-servers -p bench
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
  step test-preloaded "tests of what backends share, where the library is preloaded" \
    env "$PRELOADED" scripts/cluster.sh scripts/cluster_tests.sh --features preloaded --test preloaded
  passed test-preloaded
}

oracle() {
  step test-oracle "the oracle: 2,000 random queries a dialect, and the corpus" scripts/cluster.sh scripts/oracle_tests.sh
  grep '^dialect ' "$LOGS/test-oracle.log"
}

examples() {
  step test-examples "the examples print what they should" \
    scripts/cluster.sh scripts/mock_api.sh scripts/check_examples.sh
}

documentation() {
  step test-docs "the SQL in README.md and docs/ runs" \
    env "$PRELOADED" scripts/cluster.sh scripts/mock_api.sh scripts/doc_examples.sh README.md docs/*.md
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
oracle
examples
documentation
say "all tests passed"
echo "$total passed, 0 failed"
