#!/bin/bash
# Does the receiver count every message, in memory that does not grow? penstock-load sends MESSAGES (300,000) straight
# into penstock-sink playing a scenario; the sink's count by id must be exact, and its resident memory after the first
# tenth must be what it is at the end, but for 1 MB.
#   bench/sink_ids.sh [MESSAGES [SIZE]]      PORT=2555 by default
set -u
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=scripts/lab.sh
. "$ROOT/scripts/lab.sh"
MESSAGES=${1:-300000}
SIZE=${2:-10000}
PORT=${PORT:-2555}
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
DIR=$(mktemp -d)
trap 'stop_all; rm -rf "$DIR"' EXIT

[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
start "$DIR/sink.json" "$BIN/penstock-sink" --json --listen "127.0.0.1:$PORT" --scenario "$ROOT/bench/scenarios/plain.toml" \
  --expect "$MESSAGES" --count-file "$DIR/count" --fail-on lost,duplicated
SINK=$LAST_PID
wait_for 10 port_open 127.0.0.1 "$PORT" || fail "the receiver does not listen: $(tail -1 "$DIR/sink.json")"
start "$DIR/load" "$BIN/penstock-load" --to "127.0.0.1:$PORT" --messages "$MESSAGES" --connections 50 --size "$SIZE"
LOAD=$LAST_PID
early=0 late=0 samples=0
while kill -0 "$LOAD" 2>/dev/null; do
  late=$(rss_kb "$SINK")
  [ "$(head -1 "$DIR/count")" -ge $((MESSAGES / 10)) ] && samples=$((samples + 1))
  [ "$samples" = 1 ] && early=$late
  sleep 0.1
done
wait "$LOAD" || fail "penstock-load: $(cat "$DIR/load")"
late=$(rss_kb "$SINK")
kill "$SINK"
wait "$SINK"
status=$?
grep -v 'latency' "$DIR/load"
grep -o '"ids":{[^}]*}' "$DIR/sink.json"
say "resident memory of the receiver: $early KB after a tenth, $late KB at the end, $samples samples"
[ "$samples" -ge 5 ] || fail "too fast to see the memory: give more messages"
[ $status = 0 ] || fail "the receiver ended with status $status: $(tail -3 "$DIR/sink.json")"
grep -q "\"distinct\":$MESSAGES,\"lost\":0,\"duplicated\":0" "$DIR/sink.json" || fail "the count is wrong"
[ $((late - early)) -le 1024 ] || fail "memory has grown by $((late - early)) KB"
say "sink_ids: every one of $MESSAGES messages was counted once, in flat memory"
