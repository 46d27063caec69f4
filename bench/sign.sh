#!/bin/bash
# sign.sh: DKIM signatures a second of both engines beside `openssl speed`, in one run; and their memory over 100,000.
#   RUNS=3 SECONDS_EACH=5 bench/sign.sh
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
CORES=$(nproc)
EACH=${SECONDS_EACH:-5}

# signatures a second of all processors together
openssl_rate() {
  openssl speed -multi "$CORES" -seconds "$EACH" "$1" 2>/dev/null | awk -v kind="$1" '
    $1 == "rsa" && kind ~ /^rsa/ { print $6 }
    /EdDSA/ && kind == "ed25519" { print $(NF - 1) }' | tail -1
}
rate() { "$BIN/penstock-sign-bench" --seconds "$EACH" "$@" | sed 's/.*"per_s":\([0-9]*\).*/\1/'; }

for run in $(seq "${RUNS:-3}"); do
  say "run $run: openssl rsa2048 $(openssl_rate rsa2048)/s, evp $(rate --threads "$CORES")/s, opendkim $(rate --threads "$CORES" --engine opendkim)/s on $CORES processors; ed25519 evp $(rate --type ed25519)/s on one"
done
for engine in evp opendkim; do
  "$BIN/penstock-sign-bench" --engine $engine --threads "$CORES" --count 100000
done
