# Sourced after common.sh: other relays without installing them. Mail servers conflict as Debian packages, so a package is
# unpacked under build/peers and run with a configuration of its own. No account is made: Postfix gets the accounts news
# (for its processes) and uucp (as its set-gid group), which are in every Debian.
# shellcheck shell=bash
PEERS=$ROOT/build/peers
POSTFIX=$PEERS/postfix

HARAKA=$PEERS/haraka

# unpack NAME PACKAGE...: Debian packages under build/peers/NAME, not installed.
unpack() {
  local name=$1 package
  shift
  mkdir -p "$PEERS/$name"
  for package in "$@"; do
    (cd "$PEERS" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; } &&
      dpkg -x "$package"_*.deb "$name" && rm -f "$package"_*.deb) >"$PEERS/fetch.log" 2>&1 || return 1
  done
}
fetch_postfix() {
  [ -x "$POSTFIX/usr/sbin/smtp-source" ] && return 0
  install_packages libdb5.3 libicu72 libnsl2 libsasl2-2
  unpack postfix postfix || {
    tail -5 "$PEERS/fetch.log" >&2
    fail "Postfix could not be fetched"
  }
}
# The others may be missing: false, with the reason in build/peers/fetch.log.
fetch_exim() {
  [ -x "$PEERS/exim/usr/sbin/exim4" ] && return 0
  install_packages libdb5.3 libgnutls-dane0 libidn12 libnsl2 libpcre2-8-0
  unpack exim exim4-base exim4-daemon-light
}
fetch_opensmtpd() {
  [ -x "$PEERS/opensmtpd/usr/sbin/smtpd" ] && return 0
  install_packages libdb5.3 libevent-2.1-7 libpam0g
  unpack opensmtpd opensmtpd
}
fetch_haraka() {
  [ -e "$HARAKA/node_modules/Haraka/bin/haraka" ] && return 0
  command -v npm >/dev/null || install_packages nodejs npm
  mkdir -p "$HARAKA"
  npm install --no-audit --no-fund --prefix "$HARAKA" Haraka >"$PEERS/fetch.log" 2>&1
}
# postfix_program NAME ARG...: a program of the package, such as smtp-sink.
postfix_program() {
  local name=$1
  shift
  LD_LIBRARY_PATH=$POSTFIX/usr/lib/postfix "$POSTFIX/usr/sbin/$name" "$@"
}

# postfix_setup DIR PORT [extra lines of main.cf]: a private instance; its processes must be able to enter DIR.
postfix_setup() {
  local dir=$1 port=$2 extra=${3:-}
  mkdir -p "$dir"/{etc,spool,data,log}
  mkdir -p "$dir"/spool/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,pid,public,maildrop}
  chown news "$dir"/data "$dir"/spool/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace,public,maildrop}
  chgrp uucp "$dir"/spool/{public,maildrop}
  chmod 700 "$dir"/spool/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace}
  chmod 755 "$dir" "$dir/spool" "$dir/etc"
  chmod 730 "$dir/spool/maildrop"
  chmod 710 "$dir/spool/public"
  awk -v port="$port" '/^#/ || NF == 0 { next }
    $1 == "smtp" && $2 == "inet" { $1 = "127.0.0.1:" port }
    /^[a-z0-9:.-]/ && NF >= 8 { $5 = "n" }
    { print }' "$POSTFIX/usr/share/postfix/master.cf.dist" >"$dir/etc/master.cf"
  grep -q '^postlog' "$dir/etc/master.cf" || echo 'postlog unix-dgram n - n - 1 postlogd' >>"$dir/etc/master.cf"
  cat >"$dir/etc/main.cf" <<END
compatibility_level = 3.6
queue_directory = $dir/spool
data_directory = $dir/data
command_directory = $POSTFIX/usr/sbin
daemon_directory = $POSTFIX/usr/lib/postfix/sbin
shlib_directory = $POSTFIX/usr/lib/postfix
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
mail_owner = news
setgid_group = uucp
myhostname = postfix.sender.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
maillog_file = $dir/log/maillog
maillog_file_prefixes = $dir/log
$extra
END
}
# postfix_start DIR: its master runs as a child and is ended by stop_all. Every process of it is a child of the master.
postfix_start() {
  LD_LIBRARY_PATH=$POSTFIX/usr/lib/postfix start "$1/master.out" "$POSTFIX/usr/lib/postfix/sbin/master" -c "$1/etc" -d
}
