#!/bin/bash
# relay.sh NAME DIR PORT NEXT: becomes the relay NAME with its queue and logs in DIR, listening on 127.0.0.1:PORT.
#   NEXT   HOST:PORT that takes all its mail, or "mx": by DNS, asked of 127.0.0.1:53
#   EXTRA  lines for the end of its configuration
# To be run as `unshare --mount relay.sh ...`: mail servers conflict as Debian packages and have their paths and accounts
# compiled in, so the unpacked package is laid over /usr and /etc in a view of the file system that only it has. Nothing of
# the machine changes. Each relay is as installed, but for the limits on sessions and deliveries at a time, raised to 200
# and 100 where they were lower.
set -u
cd "$(dirname "$0")/../.." || exit 1
. scripts/common.sh
. scripts/peers.sh
NAME=$1 DIR=$2 PORT=$3 NEXT=$4
HOST=${NEXT%:*}
NEXT_PORT=${NEXT##*:}
EXTRA=${EXTRA:-}

# private_etc: /etc may be written, and is seen by this relay only.
private_etc() {
  mkdir -p "$DIR/etc-over" "$DIR/etc-work"
  mount -t overlay -o "lowerdir=/etc,upperdir=$DIR/etc-over,workdir=$DIR/etc-work" overlay /etc ||
    fail "overlayfs is not there: $NAME cannot have a view of its own of /etc"
  if [ "$NEXT" = mx ]; then
    rm -f /etc/resolv.conf
    echo 'nameserver 127.0.0.1' >/etc/resolv.conf
  fi
}
# private_usr PREFIX: the package unpacked there, where it expects to be.
private_usr() { mount -t overlay -o "lowerdir=$1/usr:/usr" overlay /usr || fail "overlayfs is not there"; }
# account NAME ID: in the private /etc.
account() {
  grep -q "^$1:" /etc/group || echo "$1:x:$2:" >>/etc/group
  grep -q "^$1:" /etc/passwd || echo "$1:x:$2:$2::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
}

run_penstock() {
  {
    printf 'hostname = "relay.sender.test"\n[[listener]]\naddress = "127.0.0.1:%s"\n' "$PORT"
    if [ "$NEXT" = mx ]; then
      printf '[dns]\nservers = ["127.0.0.1:53"]\nallow_private_targets = true\n'
    else
      printf '[defaults]\nsmart_hosts = ["%s"]\nmax_connections = 100\n' "$NEXT"
    fi
    printf '[spool]\npath = "%s/spool"\n[log]\npath = "%s/delivery.jsonl"\n[admin]\nsocket = "%s/admin.sock"\n' \
      "$DIR" "$DIR" "$DIR"
    printf '%s\n' "$EXTRA"
  } >"$DIR/penstock.toml"
  exec "${PENSTOCK_BIN:-$ROOT/build/release/bin}/penstock" -c "$DIR/penstock.toml" serve
}

run_postfix() {
  local next="relayhost = [$HOST]:$NEXT_PORT
smtp_dns_support_level = disabled
smtp_destination_concurrency_limit = 100
initial_destination_concurrency = 50
in_flow_delay = 0"
  [ "$NEXT" = mx ] && next=
  private_etc
  postfix_setup "$DIR/postfix" "$PORT" "smtp_tls_security_level =
default_process_limit = 200
$next
$EXTRA"
  export LD_LIBRARY_PATH=$POSTFIX/usr/lib/postfix
  exec "$POSTFIX/usr/lib/postfix/sbin/master" -c "$DIR/postfix/etc" -d
}

run_exim() {
  local router="driver = manualroute
  route_list = * $HOST byname
  self = send"
  [ "$NEXT" = mx ] && router="driver = dnslookup
  domains = *
  self = send"
  private_etc
  account Debian-exim 64101
  private_usr "$PEERS/exim"
  mkdir -p "$DIR/spool" "$DIR/log" /etc/exim4
  chown -R Debian-exim:Debian-exim "$DIR/spool" "$DIR/log"
  cat >/etc/exim4/exim4.conf <<END
spool_directory = $DIR/spool
log_file_path = $DIR/log/%slog
primary_hostname = exim.sender.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = $PORT
tls_advertise_hosts = ${TLS_HOSTS:-}
host_lookup =
rfc1413_hosts =
never_users = root
keep_environment =
message_size_limit = 50M
acl_smtp_rcpt = accept
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 200
$EXTRA
begin acl
accept:
  accept ${ACCEPT:-hosts = 127.0.0.0/8}
begin routers
out:
  $router
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
  port = $([ "$NEXT" = mx ] && echo 25 || echo "$NEXT_PORT")
  allow_localhost
  hosts_avoid_tls = *
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
${TAIL:-}
END
  chmod 644 /etc/exim4/exim4.conf
  exec /usr/sbin/exim4 -bdf -q30m
}

run_opensmtpd() {
  local next="relay host smtp://$NEXT"
  [ "$NEXT" = mx ] && next=relay
  private_etc
  account opensmtpd 64102
  account opensmtpq 64103
  private_usr "$PEERS/opensmtpd"
  mkdir -p "$DIR/spool"
  mount -t tmpfs -o mode=755 none /var/spool
  mount -t tmpfs -o mode=755 none /var/lib
  mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty
  chmod 711 "$DIR/spool"
  mount --bind "$DIR/spool" /var/spool/smtpd
  cat >/etc/smtpd.conf <<END
listen on 127.0.0.1 port $PORT
smtp max-message-size "35M"
smtp limit max-mails 1000000
mta limit max-conn-per-host 100
mta limit max-conn-per-route 100
mta limit max-conn-per-connector 100
mta limit conn-delay-route 0
mta limit session-mail-max 100000
$EXTRA
action "out" $next
match from any for any action "out"
END
  ulimit -n 10000
  exec /usr/sbin/smtpd -F
}

run_haraka() {
  local to=$DIR/config
  mkdir -p "$to" "$DIR/queue" "$DIR/plugins"
  cp "$HARAKA/node_modules/Haraka/config/connection.ini" "$to/"
  echo haraka.sender.test >"$to/me"
  printf 'listen=127.0.0.1:%s\npublic_ip=127.0.0.1\nnodes=0\n' "$PORT" >"$to/smtp.ini"
  printf 'concurrency_max=100\nenable_tls=false\nlocal_mx_ok=true\n' >"$to/outbound.ini"
  echo relay >"$to/plugins"
  echo '127.0.0.0/8' >"$to/relay_acl_allow"
  if [ "$NEXT" = mx ]; then
    private_etc
    printf '[relay]\nacl=true\nall=true\n' >"$to/relay.ini"
  else
    printf '[relay]\nacl=true\nforce_routing=true\nall=true\ndest_domains=false\n' >"$to/relay.ini"
    printf '[domains]\nany={"action":"continue","nexthop":"%s"}\n' "$NEXT" >"$to/relay_dest_domains.ini"
  fi
  echo NOTICE >"$to/loglevel"
  printf '[main]\nlevel=notice\n' >"$to/log.ini"
  exec node "$HARAKA/node_modules/Haraka/bin/haraka" -c "$DIR"
}

case $NAME in
  penstock | postfix | exim | opensmtpd | haraka) "run_$NAME" ;;
  *) fail "no relay is called $NAME" ;;
esac
