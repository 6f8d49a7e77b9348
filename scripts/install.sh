#!/usr/bin/env bash
# How does the release build get into the server that PG_CONFIG names?
source "$(dirname "$0")/environment.sh"

"$ROOT/scripts/package.sh"
lock_server
package="$CARGO_TARGET_DIR/release/rest_fdw-pg$PG"

changed=0
while IFS= read -r -d '' file; do
  target="${file#"$package"}"
  cmp -s "$file" "$target" && continue
  if [[ $changed == 0 ]]; then
    say "installing into the server's folders: $("$PG_CONFIG" --pkglibdir) and $("$PG_CONFIG" --sharedir)/extension"
    changed=1
  fi
  # `install` replaces the file rather than writing into it: a server that has the old library mapped
  # keeps it until its sessions end.
  as_root install -D -m 644 "$file" "$target"
done < <(find "$package" -type f -print0)
