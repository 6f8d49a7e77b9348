#!/usr/bin/env bash
# What does this machine still lack to build and run rest_fdw? Installs only that.
#
#   setup.sh build    compiler, PostgreSQL and its headers, cargo-pgrx
#   setup.sh test     the same, and what the tests and the linters use
source "$(dirname "$0")/environment.sh"

purpose="${1:-build}"

debian_packages() {
  # cargo-pgrx links OpenSSL; Rust itself needs a C linker; https needs the system's certificates.
  echo build-essential ca-certificates pkg-config libssl-dev libclang-dev clang sudo
  if [[ "$PG_CONFIG" == /usr/lib/postgresql/* ]]; then
    echo "postgresql-$PG" "postgresql-server-dev-$PG"
  fi
  if [[ "$purpose" == test ]]; then
    echo etcd-server nginx-light prometheus tinyproxy
    # Another Node.js than Debian's brings its own npm, beside which Debian's cannot be installed.
    command -v npm >/dev/null || echo nodejs npm
  fi
}

missing_packages() {
  local package
  for package in $(debian_packages); do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || echo "$package"
  done
}

# Debian starts a service as soon as its package is installed. We need none of them running, so the
# start is forbidden while our own apt-get runs, the way Debian provides for (invoke-rc.d's policy).
# A policy that is there already, as in most containers, is somebody else's: it stays.
POLICY=/usr/sbin/policy-rc.d

allow_service_starts() { as_root rm -f "$POLICY"; }

# Runs the command with starts forbidden.
without_service_starts() {
  if [[ -e "$POLICY" ]]; then
    "$@"
    return
  fi
  trap allow_service_starts EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
  "$@"
  allow_service_starts
  trap - EXIT
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
  local missing
  command -v apt-get >/dev/null || return 0
  missing="$(missing_packages | tr '\n' ' ')"
  [[ -z "$missing" ]] && return
  step apt-update "updating Debian's package lists" apt update
  # shellcheck disable=SC2086  # a list of names
  without_service_starts \
    step apt-install "installing Debian packages: $missing" apt install --no-install-recommends $missing
}

check_tools() {
  command -v cargo >/dev/null || fail "cargo is not installed: install Rust (stable, 1.89 or newer) with rustup"
  [[ -x "$PG_CONFIG" ]] || fail "$PG_CONFIG does not exist: install PostgreSQL $PG with its server headers, or set PG_CONFIG"
  "$PG_CONFIG" --version | grep -q "^PostgreSQL $PG\b" || fail "$PG_CONFIG is $("$PG_CONFIG" --version), not PostgreSQL $PG: set PG and PG_CONFIG alike"
}

install_rust_components() {
  local missing=()
  # `cargo COMMAND --version` fails for a component that rustup knows and has not installed.
  cargo fmt --version >/dev/null 2>&1 || missing+=(rustfmt)
  cargo clippy --version >/dev/null 2>&1 || missing+=(clippy)
  [[ ${#missing[@]} == 0 ]] && return
  step rustup "installing Rust components: ${missing[*]}" rustup component add "${missing[@]}"
}

install_cargo_pgrx() {
  local present
  present="$(cargo pgrx --version 2>/dev/null || true)"
  [[ "$present" == "cargo-pgrx $PGRX_VERSION" ]] && return
  step cargo-pgrx "installing cargo-pgrx $PGRX_VERSION${present:+ in place of $present} (about 5 minutes)" \
    cargo install cargo-pgrx --version "$PGRX_VERSION" --locked
}

init_pgrx() {
  local config="${PGRX_HOME:-$HOME/.pgrx}/config.toml"
  grep -qsxF "pg$PG = \"$PG_CONFIG\"" "$config" && return
  mkdir -p "$(dirname "$config")"
  step pgrx-init "telling pgrx where PostgreSQL $PG is" cargo pgrx init --no-run "--pg$PG=$PG_CONFIG"
}

# A server that nobody here wrote, for tests. The lock file says what it consists of.
install_json_server() {
  local source="$ROOT/pgrx-tests/json-server" target="$CARGO_TARGET_DIR/json-server"
  command -v npm >/dev/null || fail "npm is not installed: install Node.js 18 or newer with npm"
  cmp -s "$source/package-lock.json" "$target/installed-lock.json" && return
  rm -rf "$target"
  mkdir -p "$target"
  cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$target"
  step json-server "installing json-server below $target" \
    npm ci --prefix "$target" --ignore-scripts --no-audit --no-fund
  cp "$source/package-lock.json" "$target/installed-lock.json"
}

install_packages
check_tools
if [[ "$purpose" == test ]]; then
  install_rust_components
  install_json_server
fi
install_cargo_pgrx
init_pgrx
