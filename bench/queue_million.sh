#!/bin/bash
# queue_million.sh: memory per queued message and the time of a restart with a large queue.
#   MESSAGES=1000000 SIZE=1024 DOMAINS=5000 bench/queue_million.sh
# The only next hop refuses connections, so all mail is deferred and stays. One JSON line, also in build/bench.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
. scripts/lab.sh
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
MESSAGES=${MESSAGES:-1000000}
SIZE=${SIZE:-1024}
DOMAINS=${DOMAINS:-5000}
BODY_MB=16
PORT=2541
OUT=$ROOT/build/bench
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/penstock-million.XXXXXX")
mkdir -p "$OUT"
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cat >"$DIR/penstock.toml" <<END
hostname = "relay.sender.test"
[[listener]]
name = "local"
address = "127.0.0.1:$PORT"
[defaults]
smart_hosts = ["127.0.0.1:1"]
[spool]
path = "$DIR/spool"
body_memory = "${BODY_MB}MB"
[log]
path = "$DIR/delivery.jsonl"
[admin]
socket = "$DIR/admin.sock"
END

greets() { exec 3<>"/dev/tcp/127.0.0.1/$PORT" && read -r -t 2 line <&3 && exec 3>&- && [[ $line == 220* ]]; } 2>/dev/null
serve() {
  local began
  began=$(date +%s%N)
  start "$DIR/penstock.log" "$BIN/penstock" -c "$DIR/penstock.toml" serve
  RELAY=$LAST_PID
  until (greets); do
    kill -0 "$RELAY" 2>/dev/null || fail "the relay ended: $(tail -3 "$DIR/penstock.log")"
    sleep 0.05
  done
  START_MS=$((($(date +%s%N) - began) / 1000000))
}

serve
empty_kb=$(rss_kb "$RELAY")
"$BIN/penstock-load" --to 127.0.0.1:$PORT --messages "$MESSAGES" --connections 50 --size "$SIZE" --domains "$DOMAINS" \
  --json >"$DIR/load.json" || fail "not all messages were taken: $(cat "$DIR/load.json")"
sleep 10
full_kb=$(rss_kb "$RELAY")
count=$("$BIN/penstock" -c "$DIR/penstock.toml" queue summary | awk '$1 == "messages" { print $2 }')
[ "$count" = "$MESSAGES" ] || fail "$count messages are queued, not $MESSAGES"
kill -9 "$RELAY"
wait "$RELAY" 2>/dev/null
serve
restart_ms=$START_MS
sleep 2
again_kb=$(rss_kb "$RELAY")
count=$("$BIN/penstock" -c "$DIR/penstock.toml" queue summary | awk '$1 == "messages" { print $2 }')
[ "$count" = "$MESSAGES" ] || fail "after the restart $count messages are queued, not $MESSAGES"
rate=$(sed 's/.*"rate":\([0-9.]*\).*/\1/' "$DIR/load.json")
awk -v n="$MESSAGES" -v e="$empty_kb" -v f="$full_kb" -v a="$again_kb" -v b="$BODY_MB" -v ms="$restart_ms" -v rate="$rate" \
  -v disk="$(du -sm "$DIR/spool" | cut -f1)" 'BEGIN {
    printf "{\"messages\":%d,\"accepted_per_s\":%.0f,\"rss_empty_mb\":%.0f,\"rss_full_mb\":%.0f,", n, rate, e / 1024, f / 1024
    printf "\"bytes_per_message\":%.0f,\"restart_after_kill_ms\":%d,\"rss_after_restart_mb\":%.0f,", ((f - e) * 1024 - b * 1e6) / n, ms, a / 1024
    printf "\"bytes_per_message_after_restart\":%.0f,\"spool_mb\":%d}\n", (a - e) * 1024 / n, disk }' |
  tee -a "$OUT/queue_million.jsonl"
