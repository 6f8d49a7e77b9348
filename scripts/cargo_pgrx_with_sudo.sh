#!/usr/bin/env bash
# How does `cargo pgrx test` of an ordinary user write into the server's folders? pgrx-tests runs
# `$CARGO_PGRX pgrx install …` and passes --sudo only together with --runas; this passes it always.
set -euo pipefail

if [[ "${2:-}" == install ]]; then
  set -- "$@" --sudo
fi
exec cargo-pgrx "$@"
