#!/usr/bin/env bash
# Do the examples still print what they should? Needs cluster.sh and mock_api.sh around it.
#
#   check_examples.sh             compares every sql/examples/*.sql with its expected/*.out
#   check_examples.sh --accept    writes the expected files from what is printed now
source "$(dirname "$0")/environment.sh"

# What differs from run to run: the mock API's port, and times. PostgreSQL 18 writes counts of rows with decimals.
normalise() {
  sed -E \
    -e 's#http://127\.0\.0\.1:[0-9]+#http://127.0.0.1:PORT#g' \
    -e 's/(Time Waiting: )[0-9.]+ ms/\1N ms/' \
    -e 's/actual time=[0-9.]+\.\.[0-9.]+/actual time=N..N/' \
    -e 's/(actual rows=[0-9]+)\.00/\1/' \
    -e 's/((Planning|Execution) Time: )[0-9.]+ ms/\1N ms/'
}

print_example() {
  local database
  database="example_$(basename "$1" .sql)"
  "$(pg_bin createdb)" "$database"
  PGDATABASE="$database" "$ROOT/scripts/run_sql.sh" "$1" 2>&1 | normalise
}

cd "$ROOT/sql/examples"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir -p expected
for example in *.sql; do
  name="$(basename "$example" .sql)"
  print_example "$example" >"$folder/$name.out" || { tail -n 20 "$folder/$name.out"; fail "$example stopped with an error"; }
  if [[ "${1:-}" == --accept ]]; then
    cp "$folder/$name.out" "expected/$name.out"
  else
    diff -u "expected/$name.out" "$folder/$name.out" ||
      fail "$example prints something else than expected/$name.out; if that is right: make accept-examples"
  fi
done
