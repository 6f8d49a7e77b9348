#!/usr/bin/env bash
# Does the SQL in the documentation work? Needs cluster.sh and mock_api.sh around it.
#
#   doc_examples.sh FILE.md…    runs each file's ```sql blocks, in order, in a database of its own
#
# A block that opens with ```sql norun is shown to readers and not run; one that opens with
# ```sql error must fail. In the text, 'https://earthquake.usgs.gov' stands for the real service: here
# it becomes the mock API's address.
source "$(dirname "$0")/environment.sh"

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# The blocks as one psql script. A block that must fail runs with ON_ERROR_STOP off, and the script
# stops if it left no error behind (psql's ERROR variable tells of the last statement).
extract() {
  awk -v url="$BASE_URL" -v file="$1" '
    /^```sql( error)?$/ {
      inside = 1; fails = / error$/
      printf "\\echo --- %s line %d\n", file, NR
      if (fails) print "\\set ON_ERROR_STOP 0"
      next
    }
    /^```/ && inside {
      if (fails) {
        print "\\if :ERROR\n\\set ON_ERROR_STOP 1\n\\else"
        printf "\\warn %s line %d: this block should have failed\n\\set ON_ERROR_STOP 1\nSELECT 1/0;\n\\endif\n", file, NR
      }
      inside = 0
      next
    }
    inside { gsub(/https:\/\/earthquake\.usgs\.gov/, url); print }
  ' "$1"
}

run_file() {
  local name database
  name="$(basename "$1" .md)"
  database="doc_${name,,}"
  "$(pg_bin createdb)" "$database"
  extract "$1" >"$folder/$name.sql"
  [[ -s "$folder/$name.sql" ]] || return 0
  echo "$1: $(grep -c '^\\echo --- ' "$folder/$name.sql") blocks"
  PGDATABASE="$database" "$ROOT/scripts/run_sql.sh" "$folder/$name.sql" >"$folder/$name.out" 2>&1 ||
    { tail -n 40 "$folder/$name.out"; fail "the SQL of $1 does not run"; }
}

for file in "$@"; do
  run_file "$file"
done
