#!/usr/bin/env bash
# What are the files of a release? Builds them below target/release/rest_fdw-pgNN, laid out as on the server.
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/setup.sh" build
cd "$ROOT"
step package "building rest_fdw for PostgreSQL $PG in release mode (several minutes the first time)" \
  cargo pgrx package --pg-config "$PG_CONFIG" --no-default-features --features "pg$PG"
say "the files are in $CARGO_TARGET_DIR/release/rest_fdw-pg$PG"
