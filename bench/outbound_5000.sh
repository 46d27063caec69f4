#!/bin/bash
# outbound_5000.sh: thousands of sessions to receivers at a time.
#   SESSIONS=5000 bench/outbound_5000.sh
# 250 sites, each with a receiver that answers the content after 5 s, so that the sessions pile up; the receiver counts
# how many were open at once. One JSON line, also in build/bench.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
export LAB_DNS_PORT=${LAB_DNS_PORT:-5755} LAB_MX_PORT=${LAB_MX_PORT:-2551}
. scripts/lab.sh
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
SESSIONS=${SESSIONS:-5000}
SITES=250
PORT=2552
OUT=$ROOT/build/bench
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
ulimit -n "$(ulimit -H -n)"
DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/penstock-outbound.XXXXXX")
chmod 755 "$DIR"
mkdir -p "$OUT"
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
lab_config "$DIR/penstock.toml" $PORT "port = $LAB_MX_PORT
max_connections = $(((SESSIONS + SITES - 1) / SITES))" "$LAB_DNS_CONFIG"
lab_zone "$DIR/test.zone" $SITES $SITES
lab_dns "$DIR"
lab_sink "$DIR/sink.out" 1 $SITES --delay-ms 5000 --count-file "$DIR/count" --json
sink=$LAST_PID
start "$DIR/penstock.log" "$BIN/penstock" -c "$DIR/penstock.toml" serve
relay=$LAST_PID
wait_for 20 port_open 127.0.0.1 $PORT || fail "the relay did not start: $(tail -3 "$DIR/penstock.log")"
messages=$((SESSIONS * 3))
began=$(date +%s%N)
before=$(cpu_ticks "$relay")
"$BIN/penstock-load" --to 127.0.0.1:$PORT --messages $messages --connections 50 --size 10240 --domains $SITES --json \
  >"$DIR/load.json" || fail "not all messages were taken: $(cat "$DIR/load.json")"
peak_kb=0
arrived() { [ "$(cat "$DIR/count")" -ge "$messages" ]; }
for _ in $(seq 1200); do
  now_kb=$(rss_kb "$relay")
  peak_kb=$((now_kb > peak_kb ? now_kb : peak_kb))
  arrived && break
  sleep 0.1
done
arrived || fail "only $(cat "$DIR/count") of $messages arrived"
ended=$(date +%s%N)
after=$(cpu_ticks "$relay")
kill "$sink"
wait "$sink" 2>/dev/null
open=$(sed -n 's/.*"max_concurrent":\([0-9]*\).*/\1/p' "$DIR/sink.out")
awk -v open="$open" -v n="$messages" -v ns=$((ended - began)) -v kb="$peak_kb" -v t=$((after - before)) \
  -v hz="$(getconf CLK_TCK)" 'BEGIN {
    printf "{\"sessions_at_once\":%d,\"messages\":%d,\"seconds\":%.1f,\"peak_rss_mb\":%.0f,\"cpu_us_per_message\":%.0f}\n",
      open, n, ns / 1e9, kb / 1024, t / hz / n * 1e6 }' | tee -a "$OUT/outbound.jsonl"
[ "$open" -ge $((SESSIONS * 99 / 100)) ] || fail "only $open sessions at a time"
