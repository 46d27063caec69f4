#!/bin/bash
# postfix.sh: Penstock and Postfix side by side on this machine: the same generator, receiver, messages and disk.
#   RUNS=3 SIZES="2048 10240 102400" CONNECTIONS=100 MESSAGES=... DOMAINS=1000 bench/compare/postfix.sh
#   SIGN=1 bench/compare/postfix.sh     both sign with DKIM, RSA-2048: Postfix through the opendkim milter
#   OLD_BIN=DIR bench/compare/postfix.sh    also the penstock of another build, in turns with this one
# Needs root (Postfix does). One JSON line a run goes to build/bench/postfix.jsonl, a table to standard output.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/common.sh
. scripts/lab.sh
. scripts/peers.sh
[ "$(id -u)" = 0 ] || fail "Postfix can be started by root only"

BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
RUNS=${RUNS:-3}
SIZES=${SIZES:-2048 10240 102400}
CONNECTIONS=${CONNECTIONS:-100}
DOMAINS=${DOMAINS:-1000}
OUT=$ROOT/build/bench
SINK_PORT=2531 POSTFIX_PORT=2532 PENSTOCK_PORT=2533 MILTER_PORT=2534 OLD_PORT=2535
TICKS=$(getconf CLK_TCK)

# The processes of Postfix are not root and must be able to enter; /var/tmp is on a disk, /tmp may not be.
DIR=$(mktemp -d "${BENCH_DIR:-/var/tmp}/penstock-compare.XXXXXX")
chmod 755 "$DIR"
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$OUT"

# The process and all that came from it, now.
family() {
  local found=$1 next=$1
  while [ -n "$next" ]; do
    next=$(ps -o pid= --ppid "$(echo $next | tr ' ' ,)" | xargs)
    found="$found $next"
  done
  echo "$found"
}
taken() { cat "$DIR/count" 2>/dev/null || echo 0; }

# measure NAME PORT PID SIZE MESSAGES
measure() {
  local name=$1 port=$2 pid=$3 size=$4 messages=$5 milter= before after began ended accepted start ticks seconds memory
  [ "$name" != postfix ] || milter=$MILTER
  start=$(taken)
  # shellcheck disable=SC2046
  before=$(cpu_ticks $(family "$pid") $milter)
  began=$(date +%s%N)
  "$BIN/penstock-load" --to "127.0.0.1:$port" --messages "$messages" --connections "$CONNECTIONS" --size "$size" \
    --domains "$DOMAINS" --json >"$DIR/load.json" || fail "$name did not take all messages: $(cat "$DIR/load.json")"
  # What Postfix has begun goes on in processes that end by themselves; their time comes to the master when they are
  # waited for, and is counted there.
  while [ $(($(taken) - start)) -lt "$messages" ]; do
    [ $((($(date +%s%N) - began) / 1000000000)) -lt 600 ] || fail "$name: only $(($(taken) - start)) arrived in 10 minutes"
    sleep 0.05
  done
  ended=$(date +%s%N)
  sleep 1
  # shellcheck disable=SC2046
  after=$(cpu_ticks $(family "$pid") $milter)
  memory=0
  for member in $(family "$pid"); do memory=$((memory + $(rss_kb "$member" 2>/dev/null || echo 0))); done
  ticks=$((after - before))
  accepted=$(sed 's/.*"rate":\([0-9.]*\).*/\1/' "$DIR/load.json")
  awk -v name="$name" -v size="$size" -v n="$messages" -v ns=$((ended - began)) -v t="$ticks" -v hz="$TICKS" \
    -v rate="$accepted" -v kb="$memory" -v c="$CONNECTIONS" 'BEGIN {
      printf "{\"relay\":\"%s\",\"size\":%d,\"connections\":%d,\"messages\":%d,\"accepted_per_s\":%.0f,", name, size, c, n, rate
      printf "\"delivered_per_s\":%.0f,\"cpu_us_per_message\":%.0f,\"rss_mb\":%.0f}\n", n / (ns / 1e9), t / hz / n * 1e6, kb / 1024
    }' | tee -a "$OUT/postfix.jsonl"
}

fetch_postfix
[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
: >"$OUT/postfix.jsonl"
# penstock_setup NAME PORT: the configuration of one of the builds.
penstock_setup() {
  cat >"$DIR/$1.toml" <<END
hostname = "relay.sender.test"
[[listener]]
name = "local"
address = "127.0.0.1:$2"
[defaults]
smart_hosts = ["127.0.0.1:$SINK_PORT"]
max_connections = 100
[spool]
path = "$DIR/$1-spool"
[log]
path = "$DIR/$1.jsonl"
[admin]
socket = "$DIR/$1.sock"
END
}
# penstock_start NAME BIN PORT
penstock_start() {
  start "$DIR/$1.log" "$2/penstock" -c "$DIR/$1.toml" serve
  wait_for 20 port_open 127.0.0.1 "$3" || fail "$1 did not start: $(tail -3 "$DIR/$1.log")"
}
penstock_setup penstock $PENSTOCK_PORT
penstock_setup before $OLD_PORT
MILTER=
sign_postfix=
if [ -n "${SIGN:-}" ]; then
  install_packages opendkim
  "$BIN/penstock" dkim keygen --domain sender.test --selector s1 --out "$DIR/s1.pem" >"$DIR/record" 2>&1 || fail "no key"
  printf '[[dkim_key]]\ndomain = "sender.test"\nselector = "s1"\nfile = "%s"\n' "$DIR/s1.pem" | tee -a "$DIR/before.toml" >>"$DIR/penstock.toml"
  printf 'Domain sender.test\nSelector s1\nKeyFile %s\nMode s\nCanonicalization relaxed/relaxed\nSocket inet:%s@127.0.0.1\n' \
    "$DIR/s1.pem" $MILTER_PORT >"$DIR/opendkim.conf"
  printf 'Syslog no\nInternalHosts 127.0.0.0/8\nRequireSafeKeys no\nBackground no\n' >>"$DIR/opendkim.conf"
  start "$DIR/opendkim.log" opendkim -f -x "$DIR/opendkim.conf"
  MILTER=$LAST_PID
  wait_for 10 port_open 127.0.0.1 $MILTER_PORT || fail "opendkim did not start: $(tail -2 "$DIR/opendkim.log")"
  sign_postfix="smtpd_milters = inet:127.0.0.1:$MILTER_PORT"
fi
start "$DIR/sink.log" "$BIN/penstock-sink" --listen "127.0.0.1:$SINK_PORT" --count-file "$DIR/count"
# As installed, with the limits on deliveries at a time raised to what Penstock has: 100 to the one next hop.
postfix_setup "$DIR/postfix" $POSTFIX_PORT "relayhost = [127.0.0.1]:$SINK_PORT
smtp_dns_support_level = disabled
smtp_tls_security_level =
default_process_limit = 200
smtp_destination_concurrency_limit = 100
initial_destination_concurrency = 50
in_flow_delay = 0
$sign_postfix
${POSTFIX_EXTRA:-}"
postfix_start "$DIR/postfix"
postfix=$LAST_PID
wait_for 20 port_open 127.0.0.1 $POSTFIX_PORT || fail "Postfix did not start: $(tail -3 "$DIR/postfix/log/maillog")"
penstock_start penstock "$BIN" $PENSTOCK_PORT
penstock=$LAST_PID
if [ -n "${OLD_BIN:-}" ]; then
  penstock_start before "$OLD_BIN" $OLD_PORT
  before=$LAST_PID
fi

for size in $SIZES; do
  few=$((size > 50000 ? 1500 : 3000))
  many=$((size > 50000 ? 6000 : 30000))
  for _ in $(seq "$RUNS"); do
    measure postfix $POSTFIX_PORT "$postfix" "$size" "${MESSAGES:-$few}"
    measure penstock $PENSTOCK_PORT "$penstock" "$size" "${MESSAGES:-$many}"
    [ -z "${OLD_BIN:-}" ] || measure before $OLD_PORT "$before" "$size" "${MESSAGES:-$many}"
  done
done
/usr/bin/python3 - "$OUT/postfix.jsonl" <<'END'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print(f"\n{'bytes':>7} {'relay':<9} {'accepted/s':>10} {'delivered/s':>11} {'CPU us':>7} {'RSS MB':>7}")
for size in sorted({row["size"] for row in rows}):
    middle = {}
    for relay in ("postfix", "penstock", "before"):
        runs = [row for row in rows if row["size"] == size and row["relay"] == relay]
        if not runs:
            continue
        middle[relay] = {key: statistics.median(row[key] for row in runs) for key in
                         ("accepted_per_s", "delivered_per_s", "cpu_us_per_message", "rss_mb")}
        m = middle[relay]
        print(f"{size:>7} {relay:<9} {m['accepted_per_s']:>10.0f} {m['delivered_per_s']:>11.0f} "
              f"{m['cpu_us_per_message']:>7.0f} {m['rss_mb']:>7.0f}")
    print(f"{'':>7} {'':<9} {'':>10} {middle['penstock']['delivered_per_s'] / middle['postfix']['delivered_per_s']:>10.1f}x "
          f"1/{middle['postfix']['cpu_us_per_message'] / max(1, middle['penstock']['cpu_us_per_message']):.1f}")
END
