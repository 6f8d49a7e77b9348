#!/usr/bin/env bash
# Do the tests that run inside the server pass? Runs `cargo pgrx test`, and leaves the server's folders as they were.
#
#   pg_test.sh [NAME]    only the tests whose path holds NAME
source "$(dirname "$0")/environment.sh"

# The server of `cargo pgrx test` runs as `postgres` where we are root, and must get into this folder.
folder="$(mktemp -d /tmp/rest_fdw-pgtest.XXXXXX)"
saved="$(mktemp -d)"
# `base_testing_port` of pgrx's config.toml, where that was changed.
port=$((${PGRX_TESTING_PORT:-32200} + PG))
library_folder="$("$PG_CONFIG" --pkglibdir)"
extension_folder="$("$PG_CONFIG" --sharedir)/extension"

our_libraries() { find "$1" -maxdepth 1 -type f -name 'rest_fdw*.so' -print0; }

our_scripts() {
  find "$1" -maxdepth 1 -type f \( -name 'rest_fdw.control' -o -name 'rest_fdw--*.sql' \) -print0
}

save_installed() {
  mkdir "$saved/library" "$saved/extension"
  our_libraries "$library_folder" | xargs -0 -r cp -t "$saved/library"
  our_scripts "$extension_folder" | xargs -0 -r cp -t "$saved/extension"
}

# Removed before the test too: pgrx copies into an existing library instead of replacing it, which
# crashes every session that has it mapped.
remove_installed() {
  local file
  while IFS= read -r -d '' file; do
    as_root rm -f "$file"
  done < <(our_libraries "$library_folder"; our_scripts "$extension_folder")
}

# File by file into folders that are named: this runs as root, and must change nothing else.
put_back() {
  local file
  while IFS= read -r -d '' file; do
    as_root install -m 644 -t "$2" "$file"
  done < <("$1" "$3")
}

restore() {
  if [[ -e "$folder/data/$PG/postmaster.pid" ]]; then
    as_database_user "$(pg_bin pg_ctl)" stop -s -D "$folder/data/$PG" -m immediate || true
  fi
  remove_installed
  put_back our_libraries "$library_folder" "$saved/library"
  put_back our_scripts "$extension_folder" "$saved/extension"
  rm -rf "$saved" "$folder"
}

wait_for_port() {
  local second
  for second in $(seq 0 600); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
    [[ $second != 0 ]] || say "waiting for port $port, which another cargo pgrx test uses"
    sleep 1
  done
  fail "port $port of 127.0.0.1, where cargo pgrx test runs its server, is still in use after 10 minutes"
}

run() {
  if is_root; then
    cargo pgrx test "pg$PG" --runas postgres --pgdata "$folder/data" "$@"
  else
    # pgrx-tests connects as $USER, which cron and containers leave unset.
    USER="$(id -un)" CARGO_PGRX="$ROOT/scripts/cargo_pgrx_with_sudo.sh" \
      cargo pgrx test "pg$PG" --pgdata "$folder/data" "$@"
  fi
}

lock_server
save_installed
trap restore EXIT
remove_installed
if is_root; then
  chown postgres "$folder"
fi
wait_for_port
cd "$ROOT"
run "$@"
