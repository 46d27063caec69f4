"""Smart hosts that want a login: AUTH over STARTTLS and implicit TLS, a client certificate, a wrong password."""
import pathlib
import signal
import ssl
import subprocess
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from harness import bin_dir, free_port, wait_until

PASSWORD, TOKEN = "pass word of the smart host", "ya29.access-token"


class Keeper:
    """Keeps what it gets, and who logged in."""

    def __init__(self):
        self.mail, self.logins = [], []

    async def handle_DATA(self, server, session, envelope):
        self.mail.append((session.auth_data, bytes(envelope.content)))
        return "250 2.0.0 taken"

    # aiosmtpd finds mechanisms by name.
    async def auth_XOAUTH2(self, server, args):
        import base64
        said = base64.b64decode(args[1]).decode()
        self.logins.append(said)
        good = said == f"user=me@provider.test\x01auth=Bearer {TOKEN}\x01\x01"
        return AuthResult(success=good, auth_data="me@provider.test")


def smart_host(lab, tls=None, implicit=False, **options):
    keeper = Keeper()

    def check(server, session, envelope, mechanism, data):
        keeper.logins.append((mechanism, data.login, data.password))
        good = (data.login, data.password) == (b"me@provider.test", PASSWORD.encode())
        return AuthResult(success=good, handled=False, auth_data="me@provider.test")

    port = free_port()
    if tls is None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(lab.dir / "cert.pem", lab.dir / "key.pem")
    where = {"ssl_context": tls} if implicit else {"tls_context": tls}
    controller = Controller(keeper, hostname="127.0.0.1", port=port, authenticator=check, auth_required=True, **where, **options)
    controller.start()
    return keeper, controller, port


def secret_file(lab, name, text):
    path = lab.dir / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def config(lab, port, login, more=""):
    lab.dns([])
    lab.write_config(
        head=f'[tls]\nca_file = "{lab.dir}/cert.pem"\n[[login]]\nname = "main"\nuser = "me@provider.test"\n{login}',
        defaults=f'smart_hosts = ["127.0.0.1:{port}"]\ntls = "required"\nlogin = "main"\nschedule = ["20 x 2s"]\n{more}',
        tail='[backoff]\nfirst = "1s"\nmax = "2s"\nready_limit = "2s"\n')
    lab.serve()


def hand_in(lab, to="b@anywhere.test", text=b"Subject: x\r\n\r\nx\r\n"):
    import smtplib
    with smtplib.SMTP("127.0.0.1", lab.port, timeout=20) as client:
        client.sendmail("a@sender.test", [to], text, mail_options=["BODY=8BITMIME"] if not text.isascii() else [])


def nowhere_to_be_seen(lab, *secrets):
    """Not in the log, on standard error, in the spool, nor in the arguments of a process."""
    places = [path for path in lab.dir.rglob("*") if path.is_file() and not path.name.startswith("secret")]
    texts = [path.read_bytes() for path in places] + [pathlib.Path(f"/proc/{lab.relay.pid}/cmdline").read_bytes(),
                                                      pathlib.Path(f"/proc/{lab.relay.pid}/environ").read_bytes()]
    for secret in secrets:
        assert not any(secret.encode() in text for text in texts), "a secret is told"


def smart_host_login(lab, certificate):
    """PLAIN over STARTTLS, the chain verified."""
    certificate(lab)
    keeper, controller, port = smart_host(lab)
    try:
        config(lab, port, f'file = "{secret_file(lab, "secret", PASSWORD)}"')
        hand_in(lab)
        wait_until(lambda: len(lab.events("delivered")) == 1, 20, "not delivered")
        assert keeper.logins == [("PLAIN", b"me@provider.test", PASSWORD.encode())], keeper.logins
        nowhere_to_be_seen(lab, PASSWORD)
    finally:
        controller.stop()


def smart_host_wrong_password(lab, certificate):
    """Mail waits, one event tells of it, nobody is stormed with logins; a reload with the right one lets it go."""
    certificate(lab)
    keeper, controller, port = smart_host(lab)
    try:
        config(lab, port, f'file = "{secret_file(lab, "secret", "wrong")}"')
        for number in range(30):
            hand_in(lab, f"b{number}@d{number}.test")
        wait_until(lambda: lab.events("trouble"), 20, "nothing was told")
        time.sleep(6)
        assert len(keeper.logins) == 1, f"{len(keeper.logins)} logins"
        assert not lab.events("failed") and not lab.events("expired"), lab.events("failed")
        told = lab.events("trouble")
        assert len(told) == 1 and told[0]["stage"] == "login" and "main" in told[0]["reply"], told
        assert lab.events("deferred"), "that mail waits is told"
        said = subprocess.run([str(bin_dir() / "penstock"), "-c", str(lab.config), "explain", "b0@d0.test"],
                              capture_output=True, text=True, timeout=30, check=False).stdout
        assert "may go now" not in said, said
        secret_file(lab, "secret", PASSWORD)
        lab.relay.child.send_signal(signal.SIGHUP)
        wait_until(lambda: len(lab.events("delivered")) == 30, 20, "the right password does not help")
        assert any("works again" in event["reply"] for event in lab.events("trouble")) or len(lab.events("trouble")) == 1
        nowhere_to_be_seen(lab, PASSWORD)
    finally:
        controller.stop()


def smart_host_implicit_tls(lab, certificate):
    """TLS from the first octet, LOGIN, at least TLS 1.3."""
    certificate(lab)
    keeper, controller, port = smart_host(lab, implicit=True, auth_require_tls=False)
    try:
        config(lab, port, f'mechanism = "login"\nfile = "{secret_file(lab, "secret", PASSWORD)}"',
               'implicit_tls = true\ntls_min = "1.3"')
        hand_in(lab)
        event = wait_until(lambda: lab.events("delivered"), 20, "not delivered")[0]
        assert event["tls"] == "TLSv1.3" and keeper.logins[0][0] == "LOGIN", (event, keeper.logins)
    finally:
        controller.stop()


def smart_host_token(lab, certificate):
    """XOAUTH2 with a token that a command prints."""
    certificate(lab)
    program = lab.dir / "secret-token.sh"
    program.write_text(f"#!/bin/sh\necho '{TOKEN}'\n")
    program.chmod(0o700)
    keeper, controller, port = smart_host(lab)
    try:
        config(lab, port, f'mechanism = "xoauth2"\ncommand = ["{program}"]')
        hand_in(lab)
        wait_until(lambda: lab.events("delivered"), 20, "not delivered")
        assert len(keeper.logins) == 1, keeper.logins
        nowhere_to_be_seen(lab, TOKEN)
    finally:
        controller.stop()


def smart_host_client_certificate(lab, certificate):
    """The smart host knows its clients by certificate."""
    certificate(lab)
    subprocess.run(["cp", lab.dir / "key.pem", lab.dir / "client.pem"], check=True)
    (lab.dir / "client.pem").chmod(0o600)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=lab.dir / "cert.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    keeper, controller, port = smart_host(lab, tls=tls)
    try:
        config(lab, port, f'file = "{secret_file(lab, "secret", PASSWORD)}"\ncertificate = "{lab.dir}/cert.pem"\n'
                          f'key = "{lab.dir}/client.pem"')
        hand_in(lab)
        wait_until(lambda: lab.events("delivered"), 20, "not delivered")
    finally:
        controller.stop()
