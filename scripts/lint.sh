#!/usr/bin/env bash
# Is the code in the form that the project wants? Formatting, clippy in both builds, shellcheck where installed.
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/setup.sh" test
cd "$ROOT"
step fmt "checking the formatting" cargo fmt --all --check
step clippy "clippy: the workspace with its tests" \
  cargo clippy --workspace --all-targets --no-default-features --features "pg$PG,pg_test,cluster-tests/preloaded" -- -D warnings
step clippy-release "clippy: the extension as it is shipped" \
  cargo clippy -p rest_fdw --lib --no-default-features --features "pg$PG" -- -D warnings
if command -v shellcheck >/dev/null; then
  step shellcheck "shellcheck" shellcheck -x -P "$ROOT/scripts" scripts/*.sh .ci/run
fi
