#!/bin/bash
# check.sh: counts the instructions of each benchmark of penstock-micro and compares them with bench/micro/baseline.json.
#   bench/micro/check.sh              exit status 1 when one takes over 10 % more than the baseline, or is missing
#   bench/micro/check.sh --update     writes the baseline
#   bench/micro/check.sh --help       the rest
# Instructions, counted by valgrind, because they are the same on a busy machine; the clock is not.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/common.sh
install_packages valgrind python3
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
PENSTOCK_BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin} exec /usr/bin/python3 bench/micro/check.py "$@"
