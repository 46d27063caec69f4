#!/bin/bash
# scenario.sh: a relay against the receivers of a scenario, with a name server that knows them, all on loopback.
#   bench/scenario.sh twenty-sites 5000         a name of bench/scenarios or a file, and how many messages
# TIME_SCALE=60 lets an hour of the scenario last a minute; RATE=200 gives the relay so many messages a second;
# RELAY=127.0.0.1:2500 loads a relay that runs already, in place of Penstock with its default rules: it must ask the
# name server at 127.0.0.1:$LAB_DNS_PORT and deliver to port $LAB_MX_PORT. CONF=FILE is added to Penstock's configuration.
# Ends when nothing has arrived for QUIET (60) seconds, or after PATIENCE (600). Prints the summary of the receiver; its
# JSON, with the broken limits of each site, is build/bench/scenario-NAME.json; what held mail back at the end, as
# `penstock mx status` tells it, is build/bench/scenario-NAME.paths. Exit status 3: a limit was broken.
set -u
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
export LAB_DNS_PORT=${LAB_DNS_PORT:-5757} LAB_MX_PORT=${LAB_MX_PORT:-2525}
# shellcheck source=scripts/lab.sh
. "$ROOT/scripts/lab.sh"
SCENARIO=${1:?a name of bench/scenarios or a file} MESSAGES=${2:-1000}
[ -e "$SCENARIO" ] || [ ! -e "$ROOT/bench/scenarios/$SCENARIO.toml" ] || SCENARIO=$ROOT/bench/scenarios/$SCENARIO.toml
[ -r "$SCENARIO" ] ||
  fail "$SCENARIO: no such file, and no scenario of this name: $(cd "$ROOT/bench/scenarios" && echo *.toml | sed 's/\.toml//g')"
NAME=$(basename "$SCENARIO" .toml)
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
PORT=${PORT:-2553}
QUIET=${QUIET:-60} PATIENCE=${PATIENCE:-600}
OUT=$ROOT/build/bench
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
mkdir -p "$OUT"
DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/penstock-scenario.XXXXXX")
chmod 755 "$DIR"
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

"$BIN/penstock-sink" --scenario "$SCENARIO" --zone "$DIR/test.zone" --shares "$DIR/shares" || exit 2
{ printf 'port = %s\n' "$LAB_MX_PORT" && sed '/^port *=/d' "$SCENARIO"; } >"$DIR/$NAME.toml"
lab_dns "$DIR"
# sender.test, where bounces and complaints come back to: those of the receivers and those of the relay.
start "$DIR/home.out" "$BIN/penstock-sink" --listen "127.0.0.1:$LAB_MX_PORT"
home=$LAST_PID
start "$DIR/sink.out" "$BIN/penstock-sink" --scenario "$DIR/$NAME.toml" --time-scale "${TIME_SCALE:-1}" \
  --reports-to "127.0.0.1:$LAB_MX_PORT" --count-file "$DIR/count" --report "$OUT/scenario-$NAME.json" \
  --expect "$MESSAGES" --fail-on broken
sink=$LAST_PID
wait_for 10 grep -q listening "$DIR/sink.out" || fail "the receiver does not listen: $(tail -1 "$DIR/sink.out")"
if [ -z "${RELAY:-}" ]; then
  lab_config "$DIR/penstock.toml" "$PORT" "port = $LAB_MX_PORT" "$LAB_DNS_CONFIG"
  [ -z "${CONF:-}" ] || cat "$CONF" >>"$DIR/penstock.toml"
  start "$DIR/penstock.log" "$BIN/penstock" -c "$DIR/penstock.toml" serve
  RELAY=127.0.0.1:$PORT
  wait_for 20 port_open 127.0.0.1 "$PORT" || fail "the relay did not start: $(tail -3 "$DIR/penstock.log")"
fi
began=$SECONDS
progress=$SECONDS
"$BIN/penstock-load" --to "$RELAY" --messages "$MESSAGES" --connections 20 --domain-list "$DIR/shares" ${RATE:+--rate "$RATE"} ||
  fail "the relay did not take all messages"
handed=$SECONDS last=$SECONDS had=
while [ $((SECONDS - last)) -lt "$QUIET" ] && [ $((SECONDS - handed)) -lt "$PATIENCE" ]; do
  now=$(head -1 "$DIR/count")
  [ "$now" = "$had" ] || last=$SECONDS
  had=$now
  [ "$now" -ge "$MESSAGES" ] && break
  if [ $((SECONDS - progress)) -ge 15 ]; then
    progress=$SECONDS
    say "$((SECONDS - began)) s: $now of $MESSAGES have arrived" >&2
  fi
  sleep 0.5
done
rest= untold=0
if [ -e "$DIR/admin.sock" ]; then
  "$BIN/penstock" -c "$DIR/penstock.toml" mx status >"$OUT/scenario-$NAME.paths"
  "$BIN/penstock" -c "$DIR/penstock.toml" queue summary --json >"$DIR/queue.json"
  rest=$(/usr/bin/python3 "$ROOT/bench/at_the_relay.py" "$DIR/queue.json") || untold=2
fi
kill "$sink"
wait "$sink"
status=$?
kill "$home"
wait "$home"
grep -v 'listening on' "$DIR/sink.out"
say "messages arrived: ${had:-0} of $MESSAGES, the last $((last - began)) s after the first was handed over"
[ -z "$rest" ] || say "$rest"
sed -n 's/^penstock-sink: \([0-9]* messages\).*/\1 came back to the sender/p' "$DIR/home.out"
[ "$status" -ne 0 ] || status=$untold
exit "$status"
