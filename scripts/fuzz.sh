#!/usr/bin/env bash
# Does any input break what reads the texts of APIs and users, or what writes requests?
#
#   fuzz.sh [TARGET…]    runs each target of fuzz/fuzz_targets (or those named) for FUZZ_SECONDS, one after the other
#
# It needs the nightly toolchain and `cargo install cargo-fuzz --locked`. What is found is a file below fuzz/artifacts, whose
# path is printed; `cargo +nightly fuzz run TARGET FILE` repeats it.
source "$(dirname "$0")/environment.sh"

seconds="${FUZZ_SECONDS:-60}"

targets() {
  local file
  for file in "$ROOT"/fuzz/fuzz_targets/*.rs; do
    basename "$file" .rs
  done
}

# New inputs are kept below target/, so that the corpus in the repository stays small. They are used by the next run.
# Choosing inputs by how rare is what they reach (-entropic) takes longer than most targets do.
run() {
  local target="$1" found="$CARGO_TARGET_DIR/fuzz-corpus/$1"
  mkdir -p "$found" "fuzz/corpus/$target"
  say "fuzzing $target for $seconds s"
  cargo +nightly fuzz run "$target" "$found" "fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -entropic=0 -print_final_stats=1 -verbosity=0
}

cd "$ROOT"
command -v cargo-fuzz >/dev/null || fail "cargo-fuzz is not installed: cargo install cargo-fuzz --locked"
# shellcheck disable=SC2046  # a list of names
[[ $# -gt 0 ]] || set -- $(targets)
for target in "$@"; do
  run "$target"
done
