#!/usr/bin/env bash
# How is a file of SQL run as a reader of it would? Needs cluster.sh and mock_api.sh around it.
#
#   run_sql.sh FILE…    echoes each line and its result, and stops at the first error
source "$(dirname "$0")/environment.sh"

# The pager and the reader's own ~/.psqlrc would change what is seen.
for file in "$@"; do
  PGOPTIONS='-c client_min_messages=warning' "$(pg_bin psql)" -X -a -q -P pager=off \
    -v ON_ERROR_STOP=1 -v base_url="$BASE_URL" -f "$file" </dev/null
done
