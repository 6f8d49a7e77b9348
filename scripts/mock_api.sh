#!/usr/bin/env bash
# How does a command get an API to talk to?
#
#   mock_api.sh COMMAND…    starts the mock API on a free port of 127.0.0.1, runs the command with
#                           BASE_URL set, then stops the API, however the command ended
source "$(dirname "$0")/environment.sh"

folder="$(mktemp -d)"
server=
stop() {
  [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

start() {
  # In a session of its own: Ctrl-C in psql cancels a query, it must not end the API.
  setsid "$CARGO_TARGET_DIR/release/mock-api" --port 0 --port-file "$folder/port" \
    </dev/null >"$folder/log" 2>&1 9<&- &
  server=$!
}

# The port that the API wrote down, once it listens.
await_port() {
  local port
  for _ in $(seq 200); do
    port="$(cat "$folder/port" 2>/dev/null || true)"
    if [[ "$port" =~ ^[0-9]+$ ]]; then
      echo "$port"
      return
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  cat "$folder/log" >&2
  fail "the mock API did not start within 10 s"
}

main() {
  start
  BASE_URL="http://127.0.0.1:$(await_port)"
  export BASE_URL
  say "the mock API listens on $BASE_URL"
  "$@"
}

main "$@"
