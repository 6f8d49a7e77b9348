#!/usr/bin/env bash
# Do foreign tables return what local ones do? Needs cluster.sh around it; ORACLE_ARGS or the arguments say how many queries.
#
#   oracle.sh [--dialect NAME] [--seed N] [--queries N | --minutes N | --until-failure] [--jobs N]
source "$(dirname "$0")/environment.sh"

cd "$ROOT"
cargo build --release -p oracle
export REST_FDW_TEST_DSN="host=$PGHOST port=$PGPORT user=$PGUSER dbname=$PGDATABASE"
# shellcheck disable=SC2086  # a list of arguments
exec "$CARGO_TARGET_DIR/release/oracle" ${ORACLE_ARGS:-} "$@"
