# Sourced by run, test and the scripts of bench: packages, building, starting and ending processes.
# shellcheck shell=bash
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

BUILD_PACKAGES=(g++ cmake ninja-build ccache pkg-config libuv1-dev libre2-dev libssl-dev libc-ares-dev libjemalloc-dev
  librocksdb-dev libtomlplusplus-dev libcli11-dev libfmt-dev nlohmann-json3-dev libidn2-dev libmicrohttpd-dev
  libsystemd-dev libcrypt-dev libopendkim-dev libsqlite3-dev libgmime-3.0-dev libcurl4-openssl-dev libgtest-dev libgmock-dev libbenchmark-dev)
RUN_PACKAGES=(knot curl)
TEST_PACKAGES=(groff clang clang-format clang-tidy libclang-rt-dev lld llvm python3 python3-aiosmtpd python3-dkim python3-nacl swaks
  libnet-ssleay-perl msmtp openssl dovecot-pop3d dovecot-imapd dovecot-submissiond)

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Installs what is missing of the Debian packages named; asks apt for nothing when all are there.
install_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing and there is no sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  # A daemon that a package brings (knot) is not to be started as a service: a policy-rc.d of ours stands in its way.
  local ours=
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
    ours=yes
  fi
  local status=0
  { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
    { "${as_root[@]}" apt-get update -q &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        "${missing[@]}"; }; } >"${TMPDIR:-/tmp}/penstock-apt.$$.log" 2>&1 || status=$?
  [ -n "$ours" ] && "${as_root[@]}" rm -f /usr/sbin/policy-rc.d
  if [ $status != 0 ]; then
    tail -20 "${TMPDIR:-/tmp}/penstock-apt.$$.log" >&2
    fail "the packages could not be installed: ${missing[*]}"
  fi
  rm -f "${TMPDIR:-/tmp}/penstock-apt.$$.log"
}

# stamp_of PRESET [TARGET ...]: the file that says when they were built.
stamp_of() {
  local preset=$1 targets
  shift
  targets="$*"
  printf '%s' "$ROOT/build/$preset/.built${targets:+-${targets//[^a-z_-]/_}}"
}

# True when something that the build reads is newer than the stamp of the last good build of these targets, or of all.
needs_build() {
  local preset=$1 stamp folders=(conf mx bounce dkim relay bench tests)
  stamp=$(stamp_of "$@")
  [ -e "$stamp" ] || stamp=$(stamp_of "$preset")
  [ -e "$stamp" ] || return 0
  [ -n "$(find "$ROOT/CMakeLists.txt" "$ROOT/CMakePresets.json" "${folders[@]/#/$ROOT/}" \
    \( -name '*.cc' -o -name '*.h' -o -name '*.toml' -o -name '*.in' -o -name CMakeLists.txt \) -newer "$stamp" \
    -print -quit)" ]
}

# build_preset PRESET [TARGET ...]: all targets, or only these; tells what it does and, every half minute, how far it is.
# The compiler's output is shown only when it fails.
build_preset() {
  local preset=$1 stamp
  needs_build "$@" || return 0
  stamp=$(stamp_of "$@")
  shift
  mkdir -p "$ROOT/build/$preset"
  local log=$ROOT/build/$preset/build.log began=$ROOT/build/$preset/.began targets=("$@")
  say "building build/$preset (the compiler's output goes to $log)"
  touch "$began"
  (cd "$ROOT" && cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "${targets[@]}"}) >"$log" 2>&1 &
  local build=$! since=$SECONDS told=$SECONDS
  while kill -0 "$build" 2>/dev/null; do
    sleep 1
    if [ $((SECONDS - told)) -ge 30 ]; then
      told=$SECONDS
      say "  $(grep -oE '^\[[0-9]+/[0-9]+\]' "$log" | tail -1) after $((SECONDS - since)) s"
    fi
  done
  if ! wait "$build"; then
    grep -E 'error|Error|FAILED' "$log" | head -20 >&2
    tail -5 "$log" >&2
    fail "the build failed; all of it is in $log"
  fi
  mv "$began" "$stamp"
}

# Processes started with `start` are ended, each by its id, by `stop_all`.
STARTED=()
start() {
  local log=$1
  shift
  "$@" >>"$log" 2>&1 &
  LAST_PID=$!
  STARTED+=("$LAST_PID")
}
stop_all() {
  local pid i
  for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do kill "${STARTED[i]}" 2>/dev/null; done
  for pid in "${STARTED[@]}"; do
    for i in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  STARTED=()
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local tenths=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((tenths-- > 0)) || return 1
    sleep 0.1
  done
}
port_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
