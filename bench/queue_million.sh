#!/bin/bash
# queue_million.sh [MESSAGES]    How much memory a queued message takes, and how long a restart with a full queue takes.
# The receiver refuses connections, so everything stays queued.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
. scripts/lab.sh
MESSAGES=${1:-1000000}
BIN=$ROOT/build/release/bin
PORT=2548
install_packages "${BUILD_PACKAGES[@]}"
build_preset release
WORK=$(mktemp -d "$ROOT/build/million.XXXXXX")
trap 'stop_all; rm -rf "$WORK"' EXIT
cat >"$WORK/penstock.toml" <<END
hostname = "relay.sender.test"
[[listener]]
address = "127.0.0.1:$PORT"
[defaults]
smart_hosts = ["127.0.0.1:9"]
[spool]
path = "$WORK/spool"
body_memory = "1MB"
[log]
path = "$WORK/delivery.jsonl"
[admin]
socket = "$WORK/admin.sock"
END
serve() {
  start "$WORK/penstock.log" "$BIN/penstock" -c "$WORK/penstock.toml" serve
  wait_for 120 grep -q 'listening on' "$WORK/penstock.log" || fail "$(tail -1 "$WORK/penstock.log")"
}
serve
empty=$(rss_kb "$LAST_PID")
"$BIN/penstock-load" --to 127.0.0.1:$PORT --messages "$MESSAGES" --connections 100 --size 2000 --domains 1000 || exit 1
sleep 5
say "after taking them in: $(rss_kb "$LAST_PID") kB resident (empty: $empty kB)"
stop_all
: >"$WORK/penstock.log"
began=$(date +%s.%N)
serve
ended=$(date +%s.%N)
sleep 5
full=$(rss_kb "$LAST_PID")
"$BIN/penstock" -c "$WORK/penstock.toml" queue summary | head -2
grep 'messages read' "$WORK/penstock.log"
awk -v b="$began" -v e="$ended" -v f="$full" -v k="$empty" -v m="$MESSAGES" 'BEGIN {
  printf "restart until it listens: %.2f s\n", e - b
  printf "memory: %d kB with %d queued, %d kB empty: %.0f bytes per message\n", f, m, k, (f - k) * 1024 / m }'
