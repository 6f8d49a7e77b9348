#!/usr/bin/env bash
# Serves the benchmark's data from nginx, runs the benchmark on the cluster of PGHOST, and writes
# docs/benchmarks.md. Called by scripts/bench.sh.
source "$(dirname "$0")/../scripts/environment.sh"

folder="$(mktemp -d /tmp/rest_fdw-bench.XXXXXX)"
chmod 755 "$folder"
stop() {
  [[ ! -e "$folder/nginx.pid" ]] || kill "$(cat "$folder/nginx.pid")" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

install_servers() {
  command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] && command -v curl >/dev/null && return
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx-light curl
}

free_port() {
  local port
  for port in $(seq 18080 18180); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  fail "no free port for nginx between 18080 and 18180"
}

# first_pages FOLDER EMPTY PAGES…: the tables of the first so many pages.
first_pages() {
  local folder="$1" empty="$2" pages
  shift 2
  for pages in "$@"; do
    cat <<NGINX
    location = /first/$pages/$folder {
      if (\$arg_page = $((pages + 1))) { rewrite ^ /$folder/$empty.json last; }
      rewrite ^ /$folder/\$arg_page.json last;
    }
NGINX
  done
}

# Every page is a file: /items?page=7 is pages/7.json. A table of the first 300 pages is below /first/300/: the
# page after them is the empty one.
write_configuration() {
  cat >"$folder/nginx.conf" <<NGINX
daemon on;
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/error.log;
events { worker_connections 64; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  default_type application/json;
  server {
    listen 127.0.0.1:$1;
    root $folder;
    location = /items { try_files /pages/\$arg_page.json =404; }
$(first_pages pages 1001 10 30 100 300 1000)
$(first_pages small 10001 1 10 100 1000 10000)
  }
}
NGINX
}

cd "$ROOT"
step nginx "installing nginx and curl where they are missing" install_servers
step bench-build "building the benchmark" cargo build --release -p bench
step bench-data "generating 1,000,000 rows in $folder" "$CARGO_TARGET_DIR/release/bench" generate "$folder"
port="$(free_port)"
write_configuration "$port"
PATH="$PATH:/usr/sbin" nginx -c "$folder/nginx.conf"
say "measuring"
"$CARGO_TARGET_DIR/release/bench" measure "$folder" "http://127.0.0.1:$port" "$ROOT/docs/benchmarks.md"
say "wrote docs/benchmarks.md"
