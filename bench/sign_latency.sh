#!/bin/bash
# sign_latency.sh: what signing adds to the time from accept to delivery, at half of what a signed relay delivers here.
#   RATE=2600 MESSAGES=26000 RUNS=3 bench/sign_latency.sh
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
. scripts/lab.sh
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
RATE=${RATE:-2600} MESSAGES=${MESSAGES:-26000} SIZE=${SIZE:-10240}
SINK_PORT=2541 PORT=2542
DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/penstock-sign.XXXXXX")
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT TERM

"$BIN/penstock" dkim keygen --domain sender.test --selector s1 --out "$DIR/s1.pem" >"$DIR/record" 2>&1 || fail "no key"
start "$DIR/sink.log" "$BIN/penstock-sink" --listen "127.0.0.1:$SINK_PORT"
wait_for 10 port_open 127.0.0.1 $SINK_PORT || fail "the receiver does not listen"

# once NAME [configuration]
once() {
  local name=$1 extra=${2:-} pid
  rm -rf "$DIR/spool" "$DIR/delivery.jsonl"
  lab_config "$DIR/penstock.toml" $PORT "smart_hosts = [\"127.0.0.1:$SINK_PORT\"]
max_connections = 100" "$extra"
  "$BIN/penstock" -c "$DIR/penstock.toml" serve 2>"$DIR/penstock.log" &
  pid=$!
  wait_for 10 port_open 127.0.0.1 $PORT || fail "penstock did not start: $(tail -3 "$DIR/penstock.log")"
  "$BIN/penstock-load" --to "127.0.0.1:$PORT" --messages "$MESSAGES" --connections 100 --size "$SIZE" --rate "$RATE" \
    --domains 1000 --json >"$DIR/load.json" || fail "not all was taken: $(cat "$DIR/load.json")"
  sleep 2
  kill "$pid"
  wait "$pid"
  /usr/bin/python3 - "$DIR/delivery.jsonl" "$name" "$MESSAGES" <<'END'
import datetime, json, sys
accepted, took = {}, []
def micros(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1e6
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["event"] == "accepted": accepted[event["id"]] = micros(event["time"])
    if event["event"] == "delivered": took.append(micros(event["time"]) - accepted[event["id"]])
assert len(took) == int(sys.argv[3]), f"{len(took)} delivered"
took.sort()
at = lambda share: took[min(len(took) - 1, int(len(took) * share))] / 1000
print(f"{sys.argv[2]:<8} accept to delivery, ms: p50 {at(.5):.2f}  p90 {at(.9):.2f}  p99 {at(.99):.2f}  p99.9 {at(.999):.2f}")
END
}

for _ in $(seq "${RUNS:-3}"); do
  once unsigned
  once signed "[[dkim_key]]
domain = \"sender.test\"
selector = \"s1\"
file = \"$DIR/s1.pem\""
done
