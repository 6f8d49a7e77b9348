#!/usr/bin/env bash
# How does a command get a PostgreSQL server of its own?
#
#   cluster.sh COMMAND…    starts a throwaway cluster, runs the command with PGHOST, PGPORT, PGUSER and
#                          PGDATABASE set, then stops the cluster and removes its folder, however it ended
#
# CLUSTER_SETTINGS has further lines for postgresql.conf: "shared_preload_libraries = 'rest_fdw'".
#
# The server listens on a Unix socket inside its private folder and on no network address, so it
# collides with no other server, and no other user of the machine can reach it.
source "$(dirname "$0")/environment.sh"

# In /tmp whatever TMPDIR says: a socket's path has room for 107 bytes, and `postgres` must get in.
folder="$(mktemp -d /tmp/rest_fdw-cluster.XXXXXX)"
data="$folder/data"
log="$folder/server.log"

stop() {
  local mode
  for mode in fast immediate; do
    [[ -e "$data/postmaster.pid" ]] || break
    as_database_user "$(pg_bin pg_ctl)" stop -s -D "$data" -m "$mode" -t 15 || true
  done
  rm -rf "$folder"
}
trap stop EXIT

settings() {
  cat <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$folder'
port = 5432
fsync = off
max_connections = 300
timezone = 'UTC'
log_line_prefix = '%m [%p] '
${CLUSTER_SETTINGS:-}
SETTINGS
}

create() {
  as_database_user "$(pg_bin initdb)" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; fail "initdb failed in $data"; }
  settings | as_database_user tee -a "$data/postgresql.conf" >/dev/null
}

# Without fd 9: a server that outlived us must not keep lock_server's lock.
start() {
  as_database_user "$(pg_bin pg_ctl)" start -s -w -D "$data" -l "$log" </dev/null >/dev/null 9<&- ||
    { tail -n 40 "$log" >&2; fail "the server in $data did not start"; }
}

report_crash() {
  grep -qE 'PANIC|FATAL|terminated by signal' "$log" || return 0
  printf -- '--- the end of the server log\n' >&2
  tail -n 40 "$log" >&2
}

main() {
  local status=0
  if is_root; then
    chown postgres "$folder"
  fi
  say "starting a throwaway PostgreSQL $PG cluster in $folder"
  create
  start
  export PGHOST="$folder" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
  "$@" || status=$?
  [[ $status == 0 ]] || report_crash
  say "stopping the cluster and removing $folder"
  return "$status"
}

main "$@"
