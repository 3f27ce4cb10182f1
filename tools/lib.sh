# Sourced by tools/up, tools/test and tools/bench: packages, meson. Defines functions only, and CMS_ROOT.
# shellcheck shell=bash

CMS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Packages of the named groups (tools/packages.txt) that dpkg does not list as installed.
missing_packages() {
  local group package state
  for group in "$@"; do
    while read -r package; do
      state=$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null || true)
      [ "$state" = installed ] || echo "$package"
    done < <(awk -v g="$group" '$1 == g { print $2 }' "$CMS_ROOT/tools/packages.txt")
  done
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

# Installs what is missing of the named groups. Touches neither the network nor root when nothing is.
install_packages() {
  local missing conflicting policy=/usr/sbin/policy-rc.d made_policy=no status=0
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null || die "this script installs Debian 12 packages, and there is no apt-get; needed: ${missing[*]}"
  if [ "$(id -u)" != 0 ] && ! command -v sudo > /dev/null; then
    die "be root or install sudo; needed: apt-get install ${missing[*]}"
  fi
  say "installing from Debian: ${missing[*]}"
  conflicting=$(dpkg-query -Wf '${Package} ${db:Status-Status}\n' 'libboost1.74-dev' 2>/dev/null | grep -c ' installed$' || true)
  if [ "$conflicting" != 0 ] && [[ " ${missing[*]} " == *" libboost1.81-dev "* ]]; then
    say "libboost1.74-dev (and what needs it) will be removed: Debian's Boost 1.81 cannot be installed beside it"
  fi
  # Debian's maintainer scripts start services (Dovecot) unless a policy-rc.d refuses; ours goes away afterwards.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
    as_root chmod 755 "$policy"
    made_policy=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 update -q >&2 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
      install -y -q --no-install-recommends "${missing[@]}" >&2 || status=$?
  [ "$made_policy" = no ] || as_root rm -f "$policy"
  [ "$status" = 0 ] || die "apt-get failed ($status)"
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} = 0 ] || die "still not installed: ${missing[*]}"
}

# meson_setup DIR [OPTION...]: configures DIR once; again only when the options differ from last time.
meson_setup() {
  local dir=$1 wanted
  shift
  wanted="$*"
  if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.cms-options" 2>/dev/null)" = "$wanted" ]; then return 0; fi
  if [ -f "$dir/meson-private/coredata.dat" ]; then
    (cd "$CMS_ROOT" && meson setup --reconfigure "$dir" "$@") >&2 || die "meson could not reconfigure $dir"
  else
    (cd "$CMS_ROOT" && CXX="$CMS_ROOT/tools/cxx" AR=llvm-ar-19 meson setup "$dir" "$@") >&2 || die "meson could not configure $dir"
  fi
  printf '%s' "$wanted" > "$dir/.cms-options"
}

# build DIR [TARGET...]: ninja, as many jobs as there are cores and 1.5 GB of memory for each.
build() {
  local dir=$1 cores memory jobs
  shift
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  jobs=$((memory < 1 ? 1 : memory < cores ? memory : cores))
  ninja -C "$dir" -j "${CMS_JOBS:-$jobs}" "$@" >&2
}

# free_port: a TCP port on 127.0.0.1 that nobody listens on just now.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
