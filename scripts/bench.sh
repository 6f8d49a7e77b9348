#!/usr/bin/env bash
# How fast is it? Runs benches/run.sh on a server of its own with the release build.
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/setup.sh" build
lock_server
"$ROOT/scripts/install.sh"
exec "$ROOT/scripts/cluster.sh" "$ROOT/benches/run.sh"
