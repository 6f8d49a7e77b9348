# shellcheck shell=bash
# Where things are, who we are, and how a step is announced. Sourced by the other scripts, never run.
#
# Settings that a caller may change: PG (major version of PostgreSQL), PG_CONFIG, CARGO_TARGET_DIR, and
# V=1, which shows the output of every step instead of its log's tail on failure.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PG="${PG:-15}"
PG_CONFIG="${PG_CONFIG:-/usr/lib/postgresql/$PG/bin/pg_config}"
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ROOT/target}"
PGRX_VERSION=0.16.1
LOGS="$CARGO_TARGET_DIR/logs"
export PGRX_VERSION PG PG_CONFIG CARGO_TARGET_DIR

# cargo is not on the path of a shell that rustup's installer did not set up, such as cron's.
[[ ":$PATH:" == *":$HOME/.cargo/bin:"* ]] || PATH="$PATH:$HOME/.cargo/bin"
export PATH

mkdir -p "$LOGS"

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step NAME WHAT COMMAND…: says what, runs the command with its output in NAME.log, and shows the
# log's end only if the command fails.
step() {
  local name="$1" what="$2" log="$LOGS/$1.log" status=0
  shift 2
  say "$what"
  if [[ "${V:-}" == 1 ]]; then
    "$@" </dev/null 2>&1 | tee "$log" || status=$?
  else
    "$@" </dev/null >"$log" 2>&1 || status=$?
  fi
  [[ $status == 0 ]] && return
  if [[ "${V:-}" != 1 ]]; then
    printf -- '--- the end of %s\n' "$log" >&2
    tail -n 80 "$log" >&2
  fi
  printf 'error: step "%s" failed with status %s; its whole output is in %s\n' "$name" "$status" "$log" >&2
  return "$status"
}

is_root() { [[ $EUID == 0 ]]; }

as_root() {
  if is_root; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this step needs root: $*; install sudo, or run it as root"
  fi
}

# The server refuses to run as root.
as_database_user() {
  if is_root; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

pg_bin() { printf '%s/%s\n' "$("$PG_CONFIG" --bindir)" "$1"; }

# A server has one rest_fdw installed, so whoever installs a build and uses it holds this lock: two
# runs on one machine take turns. Scripts started by the holder inherit it.
lock_server() {
  [[ -n "${SERVER_LOCKED:-}" ]] && return
  exec 9<"$("$PG_CONFIG" --pkglibdir)"
  flock -n 9 || {
    say "waiting for another run that uses the rest_fdw of this server"
    flock 9
  }
  export SERVER_LOCKED=1
}
