#!/usr/bin/env python3
"""Runs mail through the relay with clients and receivers that nobody here wrote.

  run.py [name ...]     all cases, or those whose name holds one of the words
"""
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import ROOT, Lab, bin_dir, free_port, port_open, wait_until  # noqa: E402

import ill_mannered  # noqa: E402
import logins  # noqa: E402
import logins_peers  # noqa: E402

import dkim  # noqa: E402
from aiosmtpd.controller import Controller  # noqa: E402

POSTFIX = ROOT / "build" / "peers" / "postfix"
BODY = "line one\r\n.leading dot\r\n..two dots\r\n" + "x" * 900 + "\r\n\r\nlast line"
PASSWORD = "correct horse battery"


def postfix_env():
    return dict(os.environ, LD_LIBRARY_PATH=str(POSTFIX / "usr/lib/postfix"))


def fetch_postfix():
    done = subprocess.run(["bash", "-c", ". scripts/common.sh; . scripts/peers.sh; fetch_postfix"], cwd=ROOT,
                          check=False)
    assert done.returncode == 0, "Postfix could not be fetched"


def run(*command, ok=(0,), **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                          **options)
    assert done.returncode in ok, f"{command[0]}: status {done.returncode}: {done.stdout[-1500:]}{done.stderr[-500:]}"
    return done.stdout + done.stderr


def certificate(lab):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=mx.test", "-addext", "subjectAltName=DNS:mx.test,DNS:relay.sender.test", "-keyout",
        lab.dir / "key.pem", "-out", lab.dir / "cert.pem")
    (lab.dir / "key.pem").chmod(0o600)


def relay_to(lab, port, defaults="", **config):
    """Names for d1.test, d2.test and sender.test at `port` of 127.0.0.1, and a running relay."""
    lab.dns(["mx A 127.0.0.1", "d1 MX 10 mx", "d2 MX 10 mx", "sender MX 10 mx"])
    lab.write_config(defaults=f"port = {port}\n{defaults}", **config)
    lab.serve()


class Keeper:
    """An aiosmtpd handler that keeps what it gets and refuses what it is told to."""

    def __init__(self):
        self.mail = []
        self.refuse = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        self.mail.append(("" if envelope.mail_from in (None, "<>") else envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
        return "250 2.0.0 kept"


def aiosmtpd(lab, **options):
    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    return keeper, controller


# --- clients -----------------------------------------------------------------------------------------------------

def client_swaks(lab):
    _, port, _ = lab.sink("sink")
    relay_to(lab, port)
    run("swaks", "--server", "127.0.0.1", "--port", lab.port, "--from", "a@sender.test", "--to",
        "b@d1.test,c@d1.test,d@d2.test", "--body", BODY.replace("\r\n", "\n"), "--pipeline")
    got = sorted(event["recipient"] for event in lab.wait_events("delivered", 3))
    assert got == ["b@d1.test", "c@d1.test", "d@d2.test"], got


def client_smtplib(lab):
    keeper, controller = aiosmtpd(lab, enable_SMTPUTF8=True)
    try:
        relay_to(lab, controller.port)
        text = f"From: a@sender.test\r\nTo: b@d1.test\r\nSubject: smtplib\r\n\r\n{BODY}\r\n".encode()
        eight = "Subject: \u00fcber\r\n\r\nK\u00f6rper \u2603\r\n".encode()
        with smtplib.SMTP("127.0.0.1", lab.port, "client.test", 20) as client:
            client.sendmail("a@sender.test", ["b@d1.test"], text)
            client.sendmail("a@sender.test", ["b@d2.test"], eight, mail_options=["BODY=8BITMIME"])
            client.sendmail("", ["b@d1.test"], b"Subject: null\r\n\r\nnull reverse-path\r\n")
            assert client.noop()[0] == 250 and client.rset()[0] == 250
            try:
                client.sendmail("a@sender.test", ["not an address"], text)
                raise AssertionError("a bad recipient was taken")
            except smtplib.SMTPRecipientsRefused:
                pass
        lab.wait_events("delivered", 3)
        kept = sorted(content for _, _, content in keeper.mail)
        for sent in (text, eight):
            # Only trace fields may come before what was sent; not a byte of that may change.
            found = [content for content in kept if content.endswith(sent)]
            assert len(found) == 1, f"not delivered as it was sent: {sent[:60]!r}"
            assert found[0][:-len(sent)].startswith(b"Received: "), found[0][:80]
        assert sorted(sender for sender, _, _ in keeper.mail)[0] == "", "the null reverse-path was lost"
    finally:
        controller.stop()


def client_msmtp(lab):
    _, port, _ = lab.sink("sink")
    relay_to(lab, port)
    for recipient in ("x@d1.test", "y@d2.test"):
        run("msmtp", "--host=127.0.0.1", f"--port={lab.port}", "--from=a@sender.test", "--auth=off", "--tls=off",
            recipient, input="Subject: msmtp\n\n.dot\nbody\n")
    lab.wait_events("delivered", 2)


def client_smtp_source(lab):
    fetch_postfix()
    _, port, _ = lab.sink("sink")
    relay_to(lab, port)
    for extra in ([], ["-N", "-d"]):
        run(POSTFIX / "usr/sbin/smtp-source", "-s", 10, "-m", 200, "-l", 5000, "-f", "a@sender.test", "-t", "b@d1.test",
            *extra, f"inet:127.0.0.1:{lab.port}", env=postfix_env())
    lab.wait_events("delivered", 400)


def client_tls_auth(lab):
    _, port, _ = lab.sink("sink")
    certificate(lab)
    secret = run(bin_dir() / "penstock", "hash-password", input=PASSWORD + "\n").strip().splitlines()[-1]
    relay_to(lab, port, listener='auth = true\nauth_required = true\nrequire_tls = true\n',
             tail=f'[[user]]\nname = "shop"\nsecret = "{secret}"\n[tls]\ncertificate = "{lab.dir}/cert.pem"\n'
                  f'key = "{lab.dir}/key.pem"\n')
    base = ["swaks", "--server", "127.0.0.1", "--port", lab.port, "--from", "a@sender.test", "--to", "b@d1.test"]
    for kind in ("PLAIN", "LOGIN"):
        run(*base, "--tls", "--auth", kind, "--auth-user", "shop", "--auth-password", PASSWORD)
    out = run(*base, "--tls", "--auth", "PLAIN", "--auth-user", "shop", "--auth-password", "wrong", ok=(28,))
    assert "535" in out, out
    out = run(*base, ok=(23, 24))
    assert "530" in out, out
    context = ssl.create_default_context(cafile=lab.dir / "cert.pem")
    with smtplib.SMTP("127.0.0.1", lab.port, "client.test", 20) as client:
        client._host = "relay.sender.test"
        client.starttls(context=context)
        client.login("shop", PASSWORD)
        client.sendmail("a@sender.test", ["b@d2.test"], "Subject: t\r\n\r\nover TLS\r\n")
    run("msmtp", "--host=127.0.0.1", f"--port={lab.port}", "--from=a@sender.test", "--tls=on", "--tls-certcheck=off",
        "--auth=plain", "--user=shop", f"--passwordeval=echo {PASSWORD}", "m@d1.test", input="Subject: m\n\nx\n")
    lab.wait_events("delivered", 4)
    users = {event.get("auth") for event in lab.events("accepted")}
    assert users == {"shop"}, users


# --- receivers ---------------------------------------------------------------------------------------------------

def send(lab, recipients, text="Subject: t\r\n\r\nbody\r\n", sender="a@sender.test"):
    with smtplib.SMTP("127.0.0.1", lab.port, "client.test", 20) as client:
        client.sendmail(sender, recipients, text)


def receiver_smtp_sink(lab):
    fetch_postfix()
    port = free_port()
    as_news = ["-u", "news"] if os.geteuid() == 0 else []  # it refuses to stay root
    lab.start("smtp-sink", [POSTFIX / "usr/sbin/smtp-sink", *as_news, f"127.0.0.1:{port}", 100], env=postfix_env())
    wait_until(lambda: port_open("127.0.0.1", port), 10, "smtp-sink does not listen")
    relay_to(lab, port)
    run(bin_dir() / "penstock-load", "--to", f"127.0.0.1:{lab.port}", "--messages", 500, "--connections", 10,
        "--size", 20000, "--domains", "d1.test,d2.test")
    lab.wait_events("delivered", 500)


def receiver_aiosmtpd(lab):
    """Refusals: 550 fails with a report to the sender, 450 defers and is tried again."""
    keeper, controller = aiosmtpd(lab)
    try:
        keeper.refuse["gone@d1.test"] = "550 5.1.1 No such user"
        keeper.refuse["full@d1.test"] = "450 4.2.2 Mailbox full"
        relay_to(lab, controller.port, defaults='schedule = ["60 x 1s"]\n')
        send(lab, ["good@d1.test", "gone@d1.test", "full@d1.test"])
        lab.wait_events("delivered", 1)
        failed = lab.wait_events("failed", 1)[0]
        assert (failed["recipient"], failed["reply_code"], failed["enhanced_status"]) == ("gone@d1.test", 550, "5.1.1"), failed
        deferred = lab.wait_events("deferred", 1)[0]
        assert deferred["recipient"] == "full@d1.test" and deferred["reply_code"] == 450, deferred
        lab.wait_events("report_sent", 1)
        wait_until(lambda: any(sender == "" for sender, _, _ in keeper.mail), 20, "the report does not arrive")
        report = next(content for sender, _, content in keeper.mail if sender == "")
        for part in (b"multipart/report", b"message/delivery-status", b"Status: 5.1.1", b"gone@d1.test"):
            assert part in report, f"{part} is not in the report"
        del keeper.refuse["full@d1.test"]
        wait_until(lambda: "full@d1.test" in {e["recipient"] for e in lab.events("delivered")}, 20,
                   "the deferred recipient is not tried again")
        assert lab.queue("summary")["messages"] == 0 or wait_until(
            lambda: lab.queue("summary")["messages"] == 0, 20, "the queue is not empty")
    finally:
        controller.stop()


def commands_that_fail(lab):
    """A script hears of an output that is not all there, and of a list that is not all read."""
    lab.write_config()
    penstock = [bin_dir() / "penstock", "-c", lab.config]
    with open("/dev/full", "w") as full:
        told = subprocess.run([*penstock, "--version"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert told.returncode == 1 and "the output cannot be written" in told.stderr, told
    told = subprocess.run([*penstock, "quarantine", "import", "--ledger", lab.dir / "ledger.db", lab.dir], capture_output=True, text=True)
    assert told.returncode == 1 and "cannot read all of" in told.stderr, told


def operator_at_work(lab):
    """Retry does not use the schedule up; what is released stays released; a bad listener refuses a reload; a stop is soon."""
    keeper, controller = aiosmtpd(lab)
    try:
        keeper.refuse["full@d1.test"] = "450 4.2.2 Mailbox full"
        keeper.refuse["denied@d1.test"] = "550 5.4.1 Recipient address rejected: Access denied"
        relay_to(lab, controller.port)
        send(lab, ["full@d1.test", "denied@d1.test"])
        lab.wait_events("deferred", 1)
        failed = lab.wait_events("failed", 1)[0]
        assert failed["recipient"] == "denied@d1.test", failed
        lab.wait_events("delivered", 1)  # the report
        for turn in range(12):
            lab.queue("retry", "--all")
            lab.wait_events("deferred", turn + 2)
        assert not lab.events("expired"), "an operator's retries used the schedule up"
        assert len({event["next_attempt"] for event in lab.events("deferred")}) == 1, "the next attempt moved"
        lab.queue("hold", "--all")
        lab.queue("release", "--all")
        lab.wait_events("deferred", 14)
        before = lab.config.read_text()
        lab.config.write_text(before.replace(f"127.0.0.1:{lab.port}", f"127.0.0.1:{controller.port}"))
        lab.relay.child.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload refused" in lab.relay.text(), 10, "the reload is not refused")
        assert port_open("127.0.0.1", lab.port), "the old listener is gone"
        lab.config.write_text(before)
        silent = socket.create_server(("127.0.0.1", 0))  # accepts and never greets
        lab.config.write_text(before.replace(f"port = {controller.port}", f"port = {silent.getsockname()[1]}"))
        lab.relay.child.send_signal(signal.SIGHUP)
        wait_until(lambda: "configuration read again" in lab.relay.text(), 10, "the configuration is not read again")
        send(lab, ["slow@d2.test"])
        wait_until(lambda: lab.queue("summary")["outbound_connections"] > 0, 10, "no connection to the silent host")
        began = time.monotonic()
        lab.relay.stop()
        assert time.monotonic() - began < 5, "a host that never greets holds the stop up"
        silent.close()
        lab.config.write_text(before)
        lab.serve()
        found = lab.queue("list", "--site", "mx.test")
        assert "full@d1.test" in {each["next"]["recipient"] for each in found["messages"]}, f"after a restart --site finds {found}"
        assert lab.queue("summary")["on_hold"] == 0, lab.queue("summary")
    finally:
        controller.stop()


def log_disk_full(lab):
    """Mail goes on while the log cannot be written; its lines come after the restart."""
    keeper, controller = aiosmtpd(lab)
    try:
        relay_to(lab, controller.port)
        lab.relay.stop()
        before = lab.config.read_text()
        lab.config.write_text(before.replace(str(lab.delivery_log), "/dev/full"))
        lab.serve()
        send(lab, ["a@d1.test", "b@d2.test"])
        wait_until(lambda: len(keeper.mail) == 2, 20, "mail stopped with the log")
        wait_until(lambda: lab.queue("summary")["log_waiting"] > 0, 10, "nothing says that the log cannot be written")
        time.sleep(1.5)  # then the final states are in the spool
        lab.relay.stop()
        lab.config.write_text(before)
        lab.serve()
        events = lab.wait_events("delivered", 2)
        assert {event["recipient"] for event in events} == {"a@d1.test", "b@d2.test"}, events
        wait_until(lambda: lab.queue("summary")["messages"] == 0, 10, "the queue is not empty")
        assert len(keeper.mail) == 2, "delivered again"
    finally:
        controller.stop()


def receiver_postfix_tls(lab):
    """A real Postfix that offers STARTTLS; the relay is told that TLS is required."""
    if os.geteuid() != 0:
        print("interop receiver_postfix_tls: left out: Postfix can be started by root only")
        return
    fetch_postfix()
    certificate(lab)
    # The processes of Postfix are not root: the directory must be one that they may enter.
    place = pathlib.Path(tempfile.mkdtemp(prefix="penstock-postfix-", dir="/var/tmp"))
    try:
        port = free_port()
        mail = place / "mail"
        mail.mkdir()
        shutil.chown(mail, "news")
        for name in ("cert.pem", "key.pem"):
            shutil.copy(lab.dir / name, place)
        extra = (f"smtpd_tls_cert_file = {place}/cert.pem\nsmtpd_tls_key_file = {place}/key.pem\n"
                 f"smtpd_tls_security_level = encrypt\nvirtual_mailbox_domains = d1.test, d2.test\n"
                 f"virtual_mailbox_base = {mail}\nvirtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:9\n"
                 f"virtual_gid_maps = static:9\nvirtual_minimum_uid = 1\n")
        run("bash", "-c", '. scripts/common.sh; . scripts/peers.sh; postfix_setup "$1" "$2" "$3"', "setup", place, port,
            extra, cwd=ROOT)
        lab.start("postfix", [POSTFIX / "usr/lib/postfix/sbin/master", "-c", place / "etc", "-d"], env=postfix_env())
        wait_until(lambda: port_open("127.0.0.1", port), 15, "Postfix does not listen")
        relay_to(lab, port, defaults='tls = "required"\ntls_verify = true\n',
                 tail=f'[tls]\nca_file = "{lab.dir}/cert.pem"\n')
        for number in range(20):
            send(lab, ["b@d1.test"], f"Subject: {number}\r\nX-Check: {number}\r\n\r\n.a\r\n..b\r\n")
        events = lab.wait_events("delivered", 20)
        assert {event["tls"] for event in events} == {"TLSv1.3"}, events[0]
        wait_until(lambda: len(list(mail.glob("box/new/*"))) == 20, 20, "not all mail is in the mailbox")
        one = next(mail.glob("box/new/*")).read_text()
        assert "\n.a\n..b\n" in one and "with ESMTPS" in one, one
    finally:
        for process in lab.processes:
            if process.name == "postfix":
                process.stop()
        time.sleep(0.2)
        shutil.rmtree(place, ignore_errors=True)


def make_key(lab, selector, kind):
    """A key made by penstock dkim keygen; returns its configuration and the lines of its record for the zone test."""
    key = lab.dir / f"{selector}.pem"
    line = subprocess.run([bin_dir() / "penstock", "dkim", "keygen", "--domain", "sender.test", "--selector", selector, "--type",
                           kind, "--out", key], capture_output=True, text=True, check=True).stdout
    return f'[[dkim_key]]\ndomain = "sender.test"\nselector = "{selector}"\nfile = "{key}"\n', line


def verify_everywhere(lab, content, records, what):
    """python3-dkim and libopendkim must both take both signatures; a changed body must be noticed."""
    def txt(name, timeout=5):
        return records[name.decode().rstrip(".")].encode()

    for index in (0, 1):
        assert dkim.DKIM(content).verify(idx=index, dnsfunc=txt), f"{what}: python3-dkim refuses signature {index}"
    assert not dkim.verify(content + b"added\r\n", dnsfunc=txt), f"{what}: a changed body verifies"
    mail = lab.dir / "signed.eml"
    mail.write_bytes(content)
    # Over the real name server: the records are found in DNS.
    out = run(bin_dir() / "penstock", "dkim", "verify", "--dns", f"127.0.0.1:{lab.dns_port}", mail)
    assert out.count("pass d=sender.test") == 2, f"{what}: {out}"


SHAPES = {
    "plain": "Subject: t\r\n\r\nbody\r\n",
    "empty": "Subject: t\r\n\r\n",
    "dots": "Subject: t\r\n\r\n.\r\n..\r\n.x\r\n\r\n\r\n",
    "white": "Subject:  a\r\n\t folded   subject \r\nTo: x@d1.test\r\n\r\n  a \t b  \r\n \r\n\t\r\nc\r\n\r\n",
    "long": "Subject: t\r\n\r\n" + "w " * 450 + "\r\n" + ("line\r\n" * 30000),
    "mime": "Subject: t\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n"
            "List-Unsubscribe: <https://sender.test/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n",
}


def signing(lab, engine, port, keeper):
    keys, zone, records = "", [], {}
    for selector, kind in (("rsa", "rsa"), ("ed", "ed25519")):
        key, line = make_key(lab, selector, kind)
        keys += key
        zone.append(line.strip())
        records[f"{selector}._domainkey.sender.test"] = "".join(line.split('"')[1::2])
    lab.dns(["mx A 127.0.0.1", "d1 MX 10 mx", "sender MX 10 mx", *zone])
    lab.write_config(defaults=f"port = {port}\n", tail=f'[dkim]\nengine = "{engine}"\nself_check = 0.5\n{keys}')
    out = run(bin_dir() / "penstock", "dkim", "check", "-c", lab.config, "--dns", f"127.0.0.1:{lab.dns_port}")
    assert out.count("good") == 2, out
    lab.serve()
    for name, text in SHAPES.items():
        head = (f"From: shop <a@sender.test>\r\nX-Shape: {name}\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
                f"Message-ID: <{name}@sender.test>\r\n")
        send(lab, ["b@d1.test"], head + text)
    wait_until(lambda: len(keeper.mail) >= len(SHAPES), 40, f"only {len(keeper.mail)} arrived: {lab.events()[-3:]}")
    for _, _, content in keeper.mail:
        verify_everywhere(lab, content, records, content.split(b"X-Shape: ")[1].split(b"\r\n")[0].decode())
    assert not lab.events("alarm") and not lab.events("unsigned"), lab.events()
    send(lab, ["b@d1.test"], "From: a@else.test\r\n\r\nno key\r\n")
    unsigned = lab.wait_events("unsigned", 1)[0]
    assert unsigned["reply"] == "there is no key for else.test", unsigned
    lab.wait_events("delivered", len(SHAPES) + 1)


def signed_evp(lab):
    keeper, controller = aiosmtpd(lab)
    try:
        signing(lab, "evp", controller.port, keeper)
    finally:
        controller.stop()


def signed_opendkim(lab):
    keeper, controller = aiosmtpd(lab)
    try:
        signing(lab, "opendkim", controller.port, keeper)
    finally:
        controller.stop()


def signed_through_postfix(lab):
    """Signed mail that a real Postfix relays on still verifies."""
    if os.geteuid() != 0:
        print("interop signed_through_postfix: left out: Postfix can be started by root only")
        return
    fetch_postfix()
    place = pathlib.Path(tempfile.mkdtemp(prefix="penstock-postfix-", dir="/var/tmp"))
    keeper, controller = aiosmtpd(lab)
    try:
        port = free_port()
        extra = f"relayhost = [127.0.0.1]:{controller.port}\nsmtp_dns_support_level = disabled\n"
        run("bash", "-c", '. scripts/common.sh; . scripts/peers.sh; postfix_setup "$1" "$2" "$3"', "setup", place, port,
            extra, cwd=ROOT)
        lab.start("postfix", [POSTFIX / "usr/lib/postfix/sbin/master", "-c", place / "etc", "-d"], env=postfix_env())
        wait_until(lambda: port_open("127.0.0.1", port), 15, "Postfix does not listen")
        signing(lab, "evp", port, keeper)
        assert all(b"by postfix.sender.test" in content for _, _, content in keeper.mail), keeper.mail[0]
    finally:
        controller.stop()
        for process in lab.processes:
            if process.name == "postfix":
                process.stop()
        time.sleep(0.2)
        shutil.rmtree(place, ignore_errors=True)


def inherited_sockets(lab):
    """systemd's sockets: a client who comes while the relay is down waits and is served; a reload takes the port out and in again."""
    port, lost = free_port(), free_port()
    with socket.create_server(("127.0.0.1", port)) as door, socket.create_server(("127.0.0.1", lost)) as forgotten:
        keeper, controller = aiosmtpd(lab)
        try:
            relay_to(lab, controller.port)
            lab.relay.stop()
            own = lab.config.read_text()
            lab.config.write_text(own.replace(f"127.0.0.1:{lab.port}", f"127.0.0.1:{port}"))
            before, lab.port = lab.port, port
            early = socket.create_connection(("127.0.0.1", port))  # nobody is there yet
            descriptors = (door.fileno(), forgotten.fileno())
            moved = "exec {a}<&%d {b}<&%d; exec 3<&$a 4<&$b" % descriptors  # as systemd does: from 3 on
            lab.relay = lab.start("relay-by-systemd", [
                "/bin/bash", "-c", moved + '; LISTEN_FDS=2 LISTEN_PID=$$ exec "$@"', "bash", bin_dir() / "penstock", "serve",
                "-c", lab.config], pass_fds=descriptors)
            early.settimeout(20)
            assert early.recv(3) == b"220", "the client who came first is not served"
            early.close()
            send(lab, ["a@d1.test"])
            wait_until(lambda: "no [[listener]] has this address" in lab.relay.text() and str(lost) in lab.relay.text(), 10,
                       "nothing says that a socket has no listener")
            assert f"for us on 127.0.0.1:{port}" not in lab.relay.text()
            with_port = lab.config.read_text()
            for text, there in ((own, before), (with_port, port)):  # to another port and back
                lab.config.write_text(text)
                lab.relay.child.send_signal(signal.SIGHUP)
                wait_until(lambda: port_open("127.0.0.1", there), 10, "the reload does not open the port")
                lab.port = there
                send(lab, ["b@d1.test"])
            wait_until(lambda: len(keeper.mail) == 3, 20, "mail did not go on")
        finally:
            controller.stop()


CASES = [client_swaks, client_smtplib, client_msmtp, client_smtp_source, client_tls_auth, receiver_smtp_sink,
         receiver_aiosmtpd, receiver_postfix_tls, ill_mannered.ill_mannered_servers, operator_at_work,
         commands_that_fail, log_disk_full, inherited_sockets, signed_evp, signed_opendkim, signed_through_postfix]


def with_certificate(case):
    def run_case(lab):
        case(lab, certificate)
    run_case.__name__ = case.__name__
    return run_case


CASES += [with_certificate(case) for case in (
    logins.smart_host_login, logins.smart_host_wrong_password, logins.smart_host_implicit_tls, logins.smart_host_token,
    logins.smart_host_client_certificate, logins_peers.login_at_postfix, logins_peers.login_at_exim,
    logins_peers.login_at_dovecot)]


def main():
    words = sys.argv[1:]
    chosen = [case for case in CASES if not words or any(word in case.__name__ for word in words)]
    failed = 0
    for case in chosen:
        began = time.monotonic()
        try:
            with Lab(case.__name__) as lab:
                case(lab)
            print(f"interop {case.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # one broken case must not hide the others
            failed += 1
            traceback.print_exc()
            print(f"interop {case.__name__}: FAILED", flush=True)
    if failed or not chosen:
        sys.exit(1)
    print(f"interop: {len(chosen)} cases passed")


if __name__ == "__main__":
    main()
