#!/usr/bin/env bash
# What do the parts cost by themselves? Runs the Criterion benchmarks of benches/micro.
#
#   microbench.sh [ARGUMENTS]    of Criterion, such as a part of a name
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/setup.sh" build
lock_server
"$ROOT/scripts/install.sh"
cd "$ROOT"
step microbench-build "building the benchmarks" cargo bench -p bench --bench decode --bench requests --bench datum --no-run
exec scripts/cluster.sh cargo bench -q -p bench --bench decode --bench requests --bench datum -- "$@"
