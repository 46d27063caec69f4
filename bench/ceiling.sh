#!/bin/bash
# ceiling.sh: how fast the load tools themselves are: penstock-load into penstock-sink beside smtp-source into smtp-sink of
# Postfix, no relay between, interleaved.
#   RUNS=3 SIZES="10240 102400" SESSIONS=50 THREADS=1 PORT=2541 bench/ceiling.sh
#   FLAT=300000 bench/ceiling.sh     one long run of so many messages: are all ids there, does memory stay flat?
# A line of JSON for each run goes to build/bench/ceiling.jsonl, a table to standard output. Status 1 when the tools do not
# reach 1.5 times the rate of Postfix's at 10 KB and 3 times at 100 KB.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh
. scripts/peers.sh
BIN=${PENSTOCK_BIN:-$ROOT/build/release/bin}
RUNS=${RUNS:-3}
SIZES=${SIZES:-10240 102400}
SESSIONS=${SESSIONS:-50}
THREADS=${THREADS:-1}
PORT=${PORT:-2541}
OUT=$ROOT/build/bench
TICKS=$(getconf CLK_TCK)
DIR=$(mktemp -d)
trap 'stop_all; rm -rf "$DIR"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$OUT"

ticks_of() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

# timed RECEIVER_PID COMMAND...: sets WALL_NS, GENERATOR_S (CPU seconds), RECEIVER_S.
timed() {
  local receiver=$1 before began
  shift
  before=$(ticks_of "$receiver")
  began=$(date +%s%N)
  { TIMEFORMAT='%U %S'; time "$@" >"$DIR/out" 2>"$DIR/err"; } 2>"$DIR/time" || fail "$1: $(cat "$DIR/out" "$DIR/err")"
  WALL_NS=$(($(date +%s%N) - began))
  GENERATOR_S=$(awk 'END { print $1 + $2 }' "$DIR/time")
  RECEIVER_S=$(awk -v t=$(($(ticks_of "$receiver") - before)) -v hz="$TICKS" 'BEGIN { print t / hz }')
}
# measure TOOLS SIZE MESSAGES
measure() {
  local tools=$1 size=$2 messages=$3
  if [ "$tools" = postfix ]; then
    start "$DIR/sink.log" env LD_LIBRARY_PATH="$POSTFIX/usr/lib/postfix" "$POSTFIX/usr/sbin/smtp-sink" "${AS_NEWS[@]}" -c "127.0.0.1:$PORT" 512
    wait_for 10 port_open 127.0.0.1 "$PORT" || fail "smtp-sink does not listen: $(tail -2 "$DIR/sink.log")"
    # -d: many messages on a connection, which is faster and what the others do.
    timed "$LAST_PID" postfix_program smtp-source -d -4 -s "$SESSIONS" -m "$messages" -l "$size" -f load@sender.test \
      -t user@d1.test "127.0.0.1:$PORT"
  else
    start "$DIR/sink.log" "$BIN/penstock-sink" --quiet --listen "127.0.0.1:$PORT"
    wait_for 10 port_open 127.0.0.1 "$PORT" || fail "penstock-sink does not listen: $(tail -2 "$DIR/sink.log")"
    timed "$LAST_PID" "$BIN/penstock-load" --to "127.0.0.1:$PORT" --messages "$messages" --connections "$SESSIONS" \
      --threads "$THREADS" --size "$size"
  fi
  stop_all
  awk -v tools="$tools" -v size="$size" -v n="$messages" -v ns="$WALL_NS" -v g="$GENERATOR_S" -v r="$RECEIVER_S" 'BEGIN {
    printf "{\"tools\":\"%s\",\"size\":%d,\"messages\":%d,\"rate\":%.0f,\"generator_us\":%.1f,\"receiver_us\":%.1f}\n",
      tools, size, n, n / (ns / 1e9), g * 1e6 / n, r * 1e6 / n }' | tee -a "$OUT/ceiling.jsonl"
}

# The memory of both while FLAT messages run: at a tenth of the way and at the end.
flat_run() {
  local sink load early="" late="" accepted
  start "$DIR/sink.json" "$BIN/penstock-sink" --json --listen "127.0.0.1:$PORT" --expect "$FLAT" --count-file "$DIR/count"
  sink=$LAST_PID
  wait_for 10 port_open 127.0.0.1 "$PORT" || fail "penstock-sink does not listen: $(tail -2 "$DIR/sink.json")"
  start "$DIR/load.json" "$BIN/penstock-load" --to "127.0.0.1:$PORT" --messages "$FLAT" --connections "$SESSIONS" \
    --threads "$THREADS" --size 10240 --json
  load=$LAST_PID
  while kill -0 "$load" 2>/dev/null; do
    accepted=$(cat "$DIR/count")
    late=$(awk '/^VmRSS/ { printf "%s ", $2 }' "/proc/$load/status" "/proc/$sink/status" 2>/dev/null)
    [ -n "$early" ] || [ "${accepted:-0}" -lt $((FLAT / 10)) ] || early=$late
    [ "$(wc -w <<<"$late")" = 2 ] && last=$late
    sleep 0.05
  done
  wait "$load" || fail "not all was taken: $(cat "$DIR/load.json")"
  stop_all
  say "memory in KB of generator and receiver: $early at a tenth, $last near the end of $FLAT messages"
  grep -o '"ids":{[^}]*}' "$DIR/sink.json" || fail "no count of ids: $(cat "$DIR/sink.json")"
  grep -q "\"distinct\":$FLAT,\"lost\":0,\"duplicated\":0" "$DIR/sink.json" || fail "ids were lost or came twice"
}

[ -n "${PENSTOCK_BIN:-}" ] || build_preset release
if [ -n "${FLAT:-}" ]; then
  flat_run
  exit
fi
fetch_postfix
AS_NEWS=()
[ "$(id -u)" = 0 ] && AS_NEWS=(-u news) # smtp-sink refuses to stay root
: >"$OUT/ceiling.jsonl"
for size in $SIZES; do
  for _ in $(seq "$RUNS"); do
    measure postfix "$size" $((size > 50000 ? 4000 : 15000))
    measure penstock "$size" $((size > 50000 ? 20000 : 100000))
  done
done
/usr/bin/python3 - "$OUT/ceiling.jsonl" <<'END'
import json, statistics, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
wanted = {10240: 1.5, 102400: 3.0}
missed = False
print(f"\n{'bytes':>7} {'tools':<9} {'messages/s':>10} {'MB/s':>7} {'generator us':>12} {'receiver us':>11}")
for size in sorted({row["size"] for row in rows}):
    rate = {}
    for tools in ("postfix", "penstock"):
        runs = [row for row in rows if row["size"] == size and row["tools"] == tools]
        m = {key: statistics.median(row[key] for row in runs) for key in ("rate", "generator_us", "receiver_us")}
        rate[tools] = m["rate"]
        print(f"{size:>7} {tools:<9} {m['rate']:>10.0f} {m['rate'] * size / 1e6:>7.0f} {m['generator_us']:>12.1f} {m['receiver_us']:>11.1f}")
    ratio = rate["penstock"] / rate["postfix"]
    missed = missed or ratio < wanted.get(size, 0)
    print(f"{'':>7} {'':<9} {ratio:>9.1f}x")
sys.exit(1 if missed else 0)
END
