#!/usr/bin/env bash
# Is there any query that foreign tables answer wrongly? Runs until one is found, or as ORACLE_ARGS says.
source "$(dirname "$0")/environment.sh"

cd "$ROOT"
scripts/install.sh
lock_server
# Another seed each time: the fixed one is for `make test`.
export ORACLE_ARGS="--seed ${EPOCHREALTIME/[.,]/} ${ORACLE_ARGS:---until-failure}"
exec scripts/cluster.sh scripts/oracle.sh
