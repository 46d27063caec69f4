"""Logins at servers that nobody here wrote: Postfix (SASL by Dovecot), Exim and the submission server of Dovecot; PLAIN and LOGIN
over TLS, a wrong password; what they pass on is what was handed in."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

from aiosmtpd.controller import Controller
from harness import ROOT, bin_dir, free_port, port_open, wait_until
from logins import PASSWORD, Keeper, hand_in, nowhere_to_be_seen, secret_file

USER = "me@provider.test"
BODY = "\r\n\r\n.leading dot\r\n..two dots\r\n \u00e9t\u00e9\r\n".encode() + b"x" * 900 + b"\r\n\r\nlast line\r\n"


def scripts(command, *words):
    done = subprocess.run(["bash", "-c", f". scripts/common.sh; . scripts/peers.sh; {command}", "setup", *map(str, words)], cwd=ROOT,
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-500:]}{done.stderr[-500:]}"


def start_dovecot(lab, place, more):
    """Dovecot that knows the password."""
    news = pwd.getpwnam("news")
    (place / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (place / "dovecot.conf").write_text(f"""
base_dir = {place}/run
log_path = {place}/dovecot.log
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {place}/users
}}
userdb {{
  driver = static
  args = uid={news.pw_uid} gid={news.pw_gid} home={place}
}}
{more}
""")
    lab.start("dovecot", ["/usr/sbin/dovecot", "-F", "-c", place / "dovecot.conf"])


def postfix(lab, place, port, behind):
    """Postfix that relays for who has logged in; Dovecot knows the password. Returns the log and its words for a refused login."""
    scripts("fetch_postfix")
    scripts('postfix_setup "$1" "$2" "$3"', place, port,
            f"relayhost = [127.0.0.1]:{behind}\nsmtp_dns_support_level = disabled\nsmtpd_tls_cert_file = {place}/cert.pem\n"
            f"smtpd_tls_key_file = {place}/key.pem\nsmtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n"
            "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n"
            "smtpd_relay_restrictions = permit_sasl_authenticated, reject\n")
    start_dovecot(lab, place, f"""
protocols =
ssl = no
disable_plaintext_auth = no
service auth {{
  unix_listener {place}/spool/private/auth {{
    mode = 0666
  }}
}}
""")
    wait_until(lambda: (place / "spool/private/auth").exists(), 15, "Dovecot does not listen")
    env = dict(os.environ, LD_LIBRARY_PATH=str(ROOT / "build/peers/postfix/usr/lib/postfix"))
    lab.start("postfix", [ROOT / "build/peers/postfix/usr/lib/postfix/sbin/master", "-c", place / "etc", "-d"], env=env)
    return place / "log" / "maillog", "authentication failed"


def dovecot(lab, place, port, behind):
    """The submission server of Dovecot: SIZE without a number, CHUNKING, each command passed on to the server behind."""
    (place / "mail").mkdir()
    shutil.chown(place / "mail", "news", "news")
    start_dovecot(lab, place, f"""
protocols = submission
listen = 127.0.0.1
ssl = required
ssl_cert = <{place}/cert.pem
ssl_key = <{place}/key.pem
mail_location = maildir:{place}/mail
auth_verbose = yes
submission_relay_host = 127.0.0.1
submission_relay_port = {behind}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
# Who was refused would wait longer each time.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
""")
    return place / "dovecot.log", "Password mismatch"


def exim(lab, place, port, behind):
    scripts("fetch_exim")
    known = "{{eq{%s}{" + USER + "}}{eq{%s}{" + PASSWORD + "}}}"
    authenticators = "\n".join((
        "begin authenticators", "plain:", "  driver = plaintext", "  public_name = PLAIN", "  server_prompts = :",
        "  server_condition = ${if and" + known % ("$auth2", "$auth3") + "}", "  server_set_id = $auth2",
        "login:", "  driver = plaintext", "  public_name = LOGIN", "  server_prompts = <| Username: | Password:",
        "  server_condition = ${if and" + known % ("$auth1", "$auth2") + "}", "  server_set_id = $auth1"))
    for name in ("cert.pem", "key.pem"):
        (place / name).chmod(0o644)
    lab.start("exim", ["unshare", "--mount", ROOT / "bench/compare/relay.sh", "exim", place, port, f"127.0.0.1:{behind}"],
              env=dict(os.environ, TLS_HOSTS="*", ACCEPT="authenticated = *", TAIL=authenticators,
                       EXTRA=f"tls_certificate = {place}/cert.pem\ntls_privatekey = {place}/key.pem\n"
                             "auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}"))
    return place / "log" / "mainlog", "authenticator failed"


def at(lab, certificate, server):
    if os.geteuid() != 0:
        print(f"interop login at {server.__name__}: left out: it can be started by root only")
        return
    certificate(lab)
    place = pathlib.Path(tempfile.mkdtemp(prefix=f"penstock-{server.__name__}-", dir="/var/tmp"))
    place.chmod(0o755)  # its processes are not root
    for name in ("cert.pem", "key.pem"):
        shutil.copy(lab.dir / name, place)
    keeper, port = Keeper(), free_port()
    behind = Controller(keeper, hostname="127.0.0.1", port=free_port())
    behind.start()
    try:
        log, refused = server(lab, place, port, behind.port)
        wait_until(lambda: port_open("127.0.0.1", port), 20, f"{server.__name__} does not listen")
        try:
            rounds(lab, port, keeper, lambda: log.read_text(errors="replace").count(refused) if log.exists() else 0)
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}; log: {log.read_text(errors='replace')[-1500:] if log.exists() else 'none'}") from wrong
    finally:
        for process in reversed(lab.processes):
            if process.name in ("postfix", "dovecot", "exim"):
                process.stop()
        behind.stop()
        time.sleep(0.2)
        shutil.rmtree(place, ignore_errors=True)


def reload(lab):
    """Until the relay says that it is done."""
    subprocess.run([bin_dir() / "penstock", "-c", lab.config, "reload"], check=True, capture_output=True, timeout=20)


def rounds(lab, port, keeper, refused_logins):
    lab.dns([])
    number = 0

    def configure(mechanism):
        lab.write_config(head=f'[tls]\nca_file = "{lab.dir}/cert.pem"\n[[login]]\nname = "main"\nuser = "{USER}"\n'
                              f'mechanism = "{mechanism}"\nfile = "{lab.dir}/secret"',
                         defaults=f'smart_hosts = ["127.0.0.1:{port}"]\ntls = "required"\nlogin = "main"\nschedule = ["30 x 2s"]\n'
                                  'idle_timeout = "100ms"\n',
                         tail='[backoff]\nfirst = "1s"\nmax = "2s"\nready_limit = "2s"\n')

    def some(count):
        nonlocal number
        for _ in range(count):
            number += 1
            hand_in(lab, f"b{number}@d{number}.test", f"Subject: {number}".encode() + BODY)

    secret_file(lab, "secret", PASSWORD)
    configure("plain")
    lab.serve()
    some(3)
    lab.wait_events("delivered", 3, 20)
    configure("login")
    reload(lab)
    some(3)
    lab.wait_events("delivered", 6, 20)
    assert refused_logins() == 0, "a login was refused"
    time.sleep(1)  # the connections that log in with the right one have gone
    secret_file(lab, "secret", "wrong")
    reload(lab)
    some(12)
    wait_until(lambda: lab.events("trouble"), 20, "nothing was told")
    time.sleep(5)
    told = lab.events("trouble")
    assert len(told) == 1 and told[0]["stage"] == "login" and "main" in told[0]["reply"], told
    assert refused_logins() == 1, f"{refused_logins()} refused logins"
    assert not lab.events("failed") and not lab.events("expired"), lab.events("failed")
    assert len(lab.events("delivered")) == 6, "delivered with a wrong password"
    secret_file(lab, "secret", PASSWORD)
    reload(lab)
    lab.wait_events("delivered", 18, 20)
    assert refused_logins() == 1, f"{refused_logins()} refused logins"
    nowhere_to_be_seen(lab, PASSWORD)
    wait_until(lambda: len(keeper.mail) == 18, 20, f"{len(keeper.mail)} of 18 came to the server behind")
    whole = sorted(int(content.split(b"Subject: ")[1].split(b"\r\n")[0]) for _, content in keeper.mail if content.endswith(BODY))
    assert whole == list(range(1, 19)), f"whole are {whole}: {keeper.mail[0]}"


def login_at_postfix(lab, certificate):
    at(lab, certificate, postfix)


def login_at_exim(lab, certificate):
    at(lab, certificate, exim)


def login_at_dovecot(lab, certificate):
    at(lab, certificate, dovecot)
