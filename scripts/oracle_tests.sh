#!/usr/bin/env bash
# Does the oracle find nothing with honest APIs, and something with one that lies? Needs cluster.sh around it.
source "$(dirname "$0")/environment.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

"$ROOT/scripts/oracle.sh" --dialect liar --queries 500 --mismatches 1 >"$folder/liar" 2>&1 &&
  fail "the oracle believes an API that ignores filters"
grep -q '^MISMATCH in dialect liar' "$folder/liar" || { cat "$folder/liar" >&2; fail "the oracle does not run"; }
# Every dialect, served by the mock API.
"$ROOT/scripts/oracle.sh" --seed 1 --queries 2000 --dialect plain,brackets,brackets-strapi,suffix,suffix-netbox,suffix-json-server,operators,postgrest,odata,sql,sql-select,json,json-elasticsearch,jsonapi,search,selectors,prometheus,prometheus-series
# Servers that nobody here wrote; they are slower.
"$ROOT/scripts/oracle.sh" --seed 1 --queries 400 --dialect real-json-server,real-prometheus,real-prometheus-series
