#!/usr/bin/env bash
# Do the tests that need the release build and a whole server pass? Needs cluster.sh around it.
#
#   cluster_tests.sh [ARGUMENTS]    of cargo test, such as --test leaks
source "$(dirname "$0")/environment.sh"

cd "$ROOT"
export REST_FDW_TEST_DSN="host=$PGHOST port=$PGPORT user=$PGUSER dbname=$PGDATABASE"
cargo test --release -p cluster-tests "$@"
