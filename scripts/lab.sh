# Sourced after common.sh: an internet on loopback, of a real name server and receivers.
# shellcheck shell=bash
LAB_DNS_PORT=${LAB_DNS_PORT:-5753}
LAB_MX_PORT=${LAB_MX_PORT:-2525}

# lab_zone FILE DOMAINS SITES: d1.test ... with MX hosts mx1.test ... at 127.0.1.1 ...; many domains share a site.
lab_zone() {
  local file=$1 domains=$2 sites=$3
  {
    printf '$ORIGIN test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n'
    printf 'sender MX 10 mx1\n'
    seq 1 "$sites" | awk '{ printf "mx%d A 127.0.%d.%d\n", $1, 1 + int(($1 - 1) / 250), 1 + ($1 - 1) % 250 }'
    seq 1 "$domains" | awk -v sites="$sites" '{ printf "d%d MX 10 mx%d\n", $1, 1 + ($1 - 1) % sites }'
  } >"$file"
}

# lab_dns DIRECTORY: knot with the zone DIRECTORY/test.zone.
lab_dns() {
  local dir=$1
  mkdir -p "$dir/knot"
  cat >"$dir/knot.conf" <<END
server:
    rundir: "$dir/knot"
    listen: 127.0.0.1@$LAB_DNS_PORT
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "$dir/knot"
zone:
  - domain: test
    storage: "$dir"
    file: test.zone
    journal-content: none
    zonefile-load: whole
END
  start "$dir/knot.log" /usr/sbin/knotd -c "$dir/knot.conf"
  wait_for 15 port_open 127.0.0.1 "$LAB_DNS_PORT" || fail "knot does not answer; see $dir/knot.log"
}

# What makes a relay ask that name server, and deliver to where it says.
LAB_DNS_CONFIG="[dns]
servers = [\"127.0.0.1:$LAB_DNS_PORT\"]
allow_private_targets = true"

# lab_config FILE PORT DEFAULTS [MORE]: a relay that listens on PORT and keeps what it writes beside FILE; DEFAULTS are the lines of
# [defaults], MORE is put at the end.
lab_config() {
  local dir
  dir=$(dirname "$1")
  cat >"$1" <<END
hostname = "relay.sender.test"
[[listener]]
address = "127.0.0.1:$2"
[defaults]
$3
[spool]
path = "$dir/spool"
[log]
path = "$dir/delivery.jsonl"
[admin]
socket = "$dir/admin.sock"
${4:-}
END
}

# lab_sink LOG FIRST LAST [option ...]: one receiver for the sites FIRST to LAST.
lab_sink() {
  local log=$1 first=$2 last=$3 listen=() site
  shift 3
  for site in $(seq "$first" "$last"); do
    listen+=(--listen "127.0.$((1 + (site - 1) / 250)).$((1 + (site - 1) % 250)):$LAB_MX_PORT")
  done
  start "$log" "$BIN/penstock-sink" "${listen[@]}" "$@"
  wait_for 10 port_open "127.0.$((1 + (last - 1) / 250)).$((1 + (last - 1) % 250))" "$LAB_MX_PORT" ||
    fail "the receiver does not listen: $(tail -1 "$log")"
}

# cpu_ticks PID...: user and system time of the processes and of their ended children, in clock ticks.
cpu_ticks() {
  local pid total=0 fields
  for pid in "$@"; do
    [ -r "/proc/$pid/stat" ] || continue
    fields=$(sed 's/.*) //' "/proc/$pid/stat")
    # shellcheck disable=SC2086
    set -- $fields
    total=$((total + ${12} + ${13} + ${14} + ${15}))
  done
  echo "$total"
}
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
