#!/bin/bash
# run.sh: Penstock and other relays at the same work on this machine, in turns; writes a table and a plot.
#   bench/compare/run.sh                       delivered a second, CPU, memory, latency, syncs and bytes written
#   bench/compare/run.sh --scenarios           the limits that each breaks at receivers that have some (bench/scenarios)
#   bench/compare/run.sh --help                the settings
# Needs root: the relays do, and so do the gauges. Relays that are not on the machine are fetched from Debian (unpacked under
# build/peers, not installed) or npm; those that cannot be had are left out and named. Everything stays on loopback.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/common.sh
. scripts/peers.sh
RELAYS=${RELAYS:-penstock postfix exim opensmtpd haraka}
for word in "$@"; do
  case $word in -h | --help) exec /usr/bin/python3 bench/compare/compare.py --help ;; esac
done
[ "$(id -u)" = 0 ] || fail "mail servers can be started by root only"
install_packages python3 strace util-linux iproute2 e2fsprogs knot
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
export PENSTOCK_BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}

there=() out=()
for relay in $RELAYS; do
  if [ "$relay" = penstock ]; then
    there+=("$relay")
  elif ! declare -F "fetch_$relay" >/dev/null; then
    fail "no relay is called $relay; there are penstock, postfix, exim, opensmtpd and haraka"
  elif ("fetch_$relay"); then
    there+=("$relay")
  else
    out+=(--left-out "$relay=$(tail -1 "$PEERS/fetch.log")")
  fi
done
exec /usr/bin/python3 bench/compare/compare.py --relays "${there[*]}" "${out[@]}" "$@"
