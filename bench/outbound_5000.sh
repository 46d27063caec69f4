#!/bin/bash
# outbound_5000.sh [SESSIONS]    As many outbound sessions at once: the receiver answers each message after two seconds, and
# counts how many connections it had at most.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
. scripts/lab.sh
SESSIONS=${1:-5000}
BIN=$ROOT/build/release/bin
PORT=2549 SINK_PORT=2550
install_packages "${BUILD_PACKAGES[@]}"
build_preset release
ulimit -n "$(ulimit -Hn)"
WORK=$(mktemp -d "$ROOT/build/outbound.XXXXXX")
trap 'stop_all; rm -rf "$WORK"' EXIT
cat >"$WORK/penstock.toml" <<END
hostname = "relay.sender.test"
max_outbound_connections = $SESSIONS
[[listener]]
address = "127.0.0.1:$PORT"
[defaults]
smart_hosts = ["127.0.0.1:$SINK_PORT"]
max_connections = $SESSIONS
[spool]
path = "$WORK/spool"
[log]
path = "$WORK/delivery.jsonl"
[admin]
socket = "$WORK/admin.sock"
END
start "$WORK/sink.log" "$BIN/penstock-sink" --listen 127.0.0.1:$SINK_PORT --delay-ms 2000 --count-file "$WORK/count"
sink=$LAST_PID
start "$WORK/penstock.log" "$BIN/penstock" -c "$WORK/penstock.toml" serve
relay=$LAST_PID
wait_for 10 port_open 127.0.0.1 $PORT || fail "$(tail -1 "$WORK/penstock.log")"
messages=$((SESSIONS * 10))
began=$(date +%s.%N)
"$BIN/penstock-load" --to 127.0.0.1:$PORT --messages $messages --connections 100 --size 2000 --domains 100 || exit 1
all_taken() { [ "$(cat "$WORK/count")" -ge $messages ]; }
wait_for 120 all_taken || fail "only $(cat "$WORK/count") of $messages came out"
ended=$(date +%s.%N)
say "memory of the relay: $(rss_kb "$relay") kB; CPU $(cpu_ticks "$relay") ticks"
awk -v b="$began" -v e="$ended" -v m=$messages 'BEGIN { printf "%d messages in %.1f s\n", m, e - b }'
kill "$sink"
sleep 1
cat "$WORK/sink.log"
