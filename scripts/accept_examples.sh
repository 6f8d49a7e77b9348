#!/usr/bin/env bash
# What should the examples print? What they print now, with the release build: read the diff before committing it.
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/setup.sh" build
lock_server
"$ROOT/scripts/install.sh"
cd "$ROOT"
step mock-api "building the mock API" cargo build --release -p mock-api
exec scripts/cluster.sh scripts/mock_api.sh scripts/check_examples.sh --accept
