#!/usr/bin/env bash
# What does rest_fdw do? Shows it on a server of its own, against the mock API.
#
#   demo.sh            runs sql/examples/earthquakes.sql
#   demo.sh --shell    makes the same tables, then starts psql
source "$(dirname "$0")/environment.sh"

example="$ROOT/sql/examples/earthquakes.sql"

build() {
  "$ROOT/scripts/setup.sh" build
  lock_server
  "$ROOT/scripts/install.sh"
  cd "$ROOT"
  step mock-api "building the mock API" cargo build --release -p mock-api
}

run_example() {
  say "running ${example#"$ROOT/"}"
  "$ROOT/scripts/run_sql.sh" "$example"
}

open_shell() {
  "$ROOT/scripts/run_sql.sh" "$example" >/dev/null
  say "the tables of ${example#"$ROOT/"} are there; \\d lists them, \\q leaves"
  "$(pg_bin psql)" -v base_url="$BASE_URL"
}

case "${1:-}" in
  "")
    build
    exec "$ROOT/scripts/cluster.sh" "$ROOT/scripts/mock_api.sh" "$0" --run-example
    ;;
  --shell)
    build
    exec "$ROOT/scripts/cluster.sh" "$ROOT/scripts/mock_api.sh" "$0" --open-shell
    ;;
  --run-example) run_example ;;
  --open-shell) open_shell ;;
  *) fail "unknown argument $1: expected nothing or --shell" ;;
esac
