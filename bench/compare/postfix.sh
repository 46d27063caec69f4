#!/bin/bash
# postfix.sh [SIZE ...]    Penstock beside Postfix on this machine: the same load, the same receiver, both with a synced queue.
# MESSAGES=N, SESSIONS=N and ROUNDS=N change the load. Prints one line per run: delivered messages a second (from the first
# connection until the receiver has them all) and CPU time per message of the relay with all its processes.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/common.sh
. scripts/lab.sh
. scripts/peers.sh
SESSIONS=${SESSIONS:-100}
ROUNDS=${ROUNDS:-3}
BIN=$ROOT/build/release/bin
SINK_PORT=2545 PENSTOCK_PORT=2546 POSTFIX_PORT=2547
[ $# -gt 0 ] || set -- 2000 10000 100000

install_packages "${BUILD_PACKAGES[@]}"
build_preset release
fetch_postfix
WORK=$(mktemp -d /tmp/penstock-compare.XXXXXX)
chmod 755 "$WORK"
trap 'stop_all; rm -rf "$WORK"' EXIT

cat >"$WORK/penstock.toml" <<END
hostname = "relay.sender.test"
[[listener]]
address = "127.0.0.1:$PENSTOCK_PORT"
[defaults]
smart_hosts = ["127.0.0.1:$SINK_PORT"]
max_connections = 100
[spool]
path = "$WORK/spool"
[log]
path = "$WORK/delivery.jsonl"
[admin]
socket = "$WORK/admin.sock"
END
start "$WORK/sink.log" "$BIN/penstock-sink" --listen "127.0.0.1:$SINK_PORT" --count-file "$WORK/count" --quiet
wait_for 10 port_open 127.0.0.1 $SINK_PORT || fail "the receiver does not listen"
start "$WORK/penstock.log" "$BIN/penstock" -c "$WORK/penstock.toml" serve
PENSTOCK=$LAST_PID
postfix_setup "$WORK/postfix" $POSTFIX_PORT "relayhost = [127.0.0.1]:$SINK_PORT
smtp_dns_support_level = disabled
smtp_tls_security_level ="
postfix_start "$WORK/postfix"
POSTFIX_MASTER=$LAST_PID
wait_for 10 port_open 127.0.0.1 $PENSTOCK_PORT || fail "Penstock does not listen: $(tail -1 "$WORK/penstock.log")"
wait_for 10 port_open 127.0.0.1 $POSTFIX_PORT || fail "Postfix does not listen: $(tail -1 "$WORK/postfix/master.out")"

family() { echo "$1" $(pgrep -P "$1"); }
taken() { cat "$WORK/count" 2>/dev/null || echo 0; }
all_taken() { [ "$(taken)" -ge "$1" ]; }

# measure NAME PORT PID SIZE MESSAGES
measure() {
  local name=$1 port=$2 pid=$3 size=$4 messages=$5 before ticks began ended
  before=$(taken)
  # shellcheck disable=SC2046
  ticks=$(cpu_ticks $(family "$pid"))
  began=$(date +%s.%N)
  "$BIN/penstock-load" --to "127.0.0.1:$port" --messages "$messages" --connections "$SESSIONS" --size "$size" --domains 10 \
    --patience 300 >"$WORK/load.log" || fail "$name: $(cat "$WORK/load.log")"
  wait_for 600 all_taken $((before + messages)) || fail "$name: only $(($(taken) - before)) of $messages came out"
  ended=$(date +%s.%N)
  sleep 1 # so that the work after the last message is counted too
  # shellcheck disable=SC2046
  ticks=$(($(cpu_ticks $(family "$pid")) - ticks))
  awk -v n="$name" -v s="$size" -v m="$messages" -v b="$began" -v e="$ended" -v t="$ticks" -v hz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%-9s %7d bytes %6d messages %9.0f messages/s %8.3f ms CPU per message\n", n, s, m, m / (e - b), 1000 * t / hz / m }'
}

say "$(nproc) cores, $(uname -r), $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo); $SESSIONS sessions"
for round in $(seq "$ROUNDS"); do
  for size in "$@"; do
    postfix_messages=${MESSAGES:-$((size >= 100000 ? 1000 : 3000))}
    penstock_messages=${MESSAGES:-$((size >= 100000 ? 5000 : 50000))}
    measure postfix $POSTFIX_PORT "$POSTFIX_MASTER" "$size" "$postfix_messages"
    measure penstock $PENSTOCK_PORT "$PENSTOCK" "$size" "$penstock_messages"
  done
done
