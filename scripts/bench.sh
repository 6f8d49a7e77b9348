#!/usr/bin/env bash
# How fast is it? Runs benches/run.sh on a server of its own with the release build.
source "$(dirname "$0")/environment.sh"

[[ -x "$ROOT/benches/run.sh" ]] || fail "benches/run.sh does not exist in this version: there is nothing to measure"
"$ROOT/scripts/setup.sh" build
lock_server
"$ROOT/scripts/install.sh"
cd "$ROOT"
step mock-api "building the mock API" cargo build --release -p mock-api
exec "$ROOT/scripts/cluster.sh" "$ROOT/scripts/mock_api.sh" "$ROOT/benches/run.sh"
