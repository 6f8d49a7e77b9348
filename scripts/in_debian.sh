#!/usr/bin/env bash
# Does it work with the PostgreSQL of another Debian? Runs a command of this project in a chroot of that release, as root.
#
#   in_debian.sh trixie 17                         every test
#   in_debian.sh trixie 17 scripts/pg_test.sh      one of them
#
# The chroot is made once, below the target directory, with the debootstrap of this machine and the mirror that its apt uses.
# It gets a copy of the sources at every run, keeps what it built, and shares the Rust toolchain and the downloaded crates.
source "$(dirname "$0")/environment.sh"

[[ $# -ge 2 ]] || fail "usage: in_debian.sh SUITE POSTGRESQL [COMMAND…], such as: in_debian.sh trixie 17 scripts/pg_test.sh"
is_root || fail "a chroot needs root"
suite="$1" version="$2"
shift 2
[[ $# -gt 0 ]] || set -- scripts/test.sh
chroot="$CARGO_TARGET_DIR/debian/$suite"
# A path that no package writes to.
certificates=/srv/certificates.crt

# A name that is newer than debootstrap is made like the unstable release.
make_chroot() {
  local mirror script=/usr/share/debootstrap/scripts
  [[ -e "$chroot/made" ]] && return
  command -v debootstrap >/dev/null || fail "debootstrap is not installed: apt-get install debootstrap"
  # shellcheck disable=SC2016  # for apt-get
  mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | head -n 1)"
  [[ -n "$mirror" ]] || fail "apt knows no mirror: run apt-get update"
  if [[ -e "$script/$suite" ]]; then
    script+="/$suite"
  else
    script+=/sid
  fi
  rm -rf "$chroot"
  mkdir -p "$chroot"
  step "debian-$suite" "making a chroot of Debian $suite below $chroot" \
    debootstrap --variant=minbase "$suite" "$chroot" "$mirror" "$script"
  # Mirrors that keep a state of the past: what is signed is not refused for its age.
  echo 'Acquire::Check-Valid-Until "false";' >"$chroot/etc/apt/apt.conf.d/90rest_fdw"
  touch "$chroot/made"
}

copy_sources() {
  mkdir -p "$chroot/srv/rest_fdw"
  find "$chroot/srv/rest_fdw" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
  (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard | tar c --null -T - --ignore-failed-read) |
    tar x -C "$chroot/srv/rest_fdw"
  # Where this machine trusts a certificate of its own, so must the chroot.
  cp /etc/ssl/certs/ca-certificates.crt "$chroot$certificates"
}

# In a mount namespace of our own: nothing stays mounted.
enter() {
  local toolchain
  toolchain="$(rustc --print sysroot)"
  mkdir -p "$chroot/opt/rust" "$chroot/root/.cargo/registry" "${CARGO_HOME:-$HOME/.cargo}/registry"
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount bash -c '
    set -e
    chroot="$1" toolchain="$2" registry="$3"
    shift 3
    mount -t proc proc "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount --bind "$toolchain" "$chroot/opt/rust"
    mount --bind "$registry" "$chroot/root/.cargo/registry"
    exec chroot "$chroot" "$@"
  ' in_debian "$chroot" "$toolchain" "${CARGO_HOME:-$HOME/.cargo}/registry" \
    /usr/bin/env -i HOME=/root LANG=C.UTF-8 PG="$version" V="${V:-}" \
    NODE_EXTRA_CA_CERTS="$certificates" CARGO_HTTP_CAINFO="$certificates" SSL_CERT_FILE="$certificates" \
    PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c 'cd /srv/rest_fdw && scripts/setup.sh test && exec "$@"' in_debian "$@"
}

make_chroot
copy_sources
enter "$@"
