#!/usr/bin/env python3
"""Mailboxes that are polled for mail that came back: a real Dovecot with TLS, and servers that mean no good.

  returns_mailbox.py [name ...]      all cases, or those whose name begins with one of the words
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Lab, bin_dir, free_port, port_open, wait_until  # noqa: E402
from returns import RETURN_DOMAIN, dsn, run_cases, send  # noqa: E402


class Dovecot:
    """POP3 and IMAP, with TLS from the start and by command, for one user `bounces`; its mail is a Maildir."""

    def __init__(self, lab):
        self.lab = lab
        # Its processes are not root: they must be able to enter the directory.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="penstock-dovecot-", dir="/var/tmp"))
        self.place.chmod(0o755)
        self.cert = self.place / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.place / "key.pem",
                        "-out", self.cert], check=True, capture_output=True)
        self.box = self.place / "mail" / "bounces"
        for name in ("new", "cur", "tmp"):
            (self.box / name).mkdir(parents=True)
        for path in [self.place / "mail", *self.box.rglob("*"), self.box]:
            shutil.chown(path, "news", "news")
        self.ports = {scheme: free_port() for scheme in ("pop3", "pop3s", "imap", "imaps")}
        self.count = 0
        news = pwd.getpwnam("news")
        (self.place / "dovecot.conf").write_text(f"""
base_dir = {self.place}/run
log_path = {self.place}/dovecot.log
protocols = imap pop3
listen = 127.0.0.1
ssl = required
ssl_cert = <{self.cert}
ssl_key = <{self.place}/key.pem
mail_location = maildir:{self.place}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={news.pw_uid} gid={news.pw_gid} home={self.place}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {self.ports["imap"]}
  }}
  inet_listener imaps {{
    port = {self.ports["imaps"]}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.ports["pop3"]}
  }}
  inet_listener pop3s {{
    port = {self.ports["pop3s"]}
    ssl = yes
  }}
}}
""")
        lab.start("dovecot", ["/usr/sbin/dovecot", "-F", "-c", self.place / "dovecot.conf"])
        wait_until(lambda: all(port_open("127.0.0.1", port) for port in self.ports.values()), 15, "Dovecot does not listen")

    def put(self, mail):
        self.count += 1
        name = f"{time.time_ns()}.{self.count}.test"
        (self.box / "tmp" / name).write_bytes(mail.replace(b"\r\n", b"\n"))
        shutil.chown(self.box / "tmp" / name, "news", "news")
        (self.box / "tmp" / name).rename(self.box / "new" / name)

    def mails(self):
        return len([f for part in ("new", "cur") for f in (self.box / part).iterdir()])

    def url(self, scheme):
        return f"{scheme}://localhost:{self.ports[scheme]}"

    def close(self):
        for process in self.lab.processes:
            if process.name == "dovecot":
                process.stop()
        shutil.rmtree(self.place, ignore_errors=True)


def set_up(lab, receiver, url, ca_file=None, more="", password="secret"):
    lab.dns([f"d{n} MX 10 mx\n" for n in range(1, 4)] + ["mx A 127.0.0.1"])
    for name, text in (("return.keys", "1 " + "5c" * 32), ("password", password)):
        (lab.dir / name).write_text(text + "\n")
        (lab.dir / name).chmod(0o600)
    tls = f'[tls]\nca_file = "{ca_file}"\n' if ca_file else ""
    without = "without_tls = true\n" if 'tls = "off"' in more else ""
    lab.write_config(defaults=f"port = {receiver.port}\n", tail=f"""{tls}
[returns]
keys = "{lab.dir}/return.keys"
path = "{lab.dir}/returns"
poll = "1s"
[[return_path]]
domain = "{RETURN_DOMAIN}"
[[login]]
name = "bounces"
user = "bounces"
file = "{lab.dir}/password"
{without}
[[return_mailbox]]
url = "{url}"
login = "bounces"
poll = "1s"
{more}
""")
    lab.serve()


def path_of_ann(lab, receiver):
    """A message to ann@d1.test is delivered; the reverse-path that it came with."""
    send(lab, "ann@d1.test")
    lab.wait_events("delivered", 1)
    return receiver.taken[0][0]


def emptied(scheme):
    """Every mail of the mailbox finds its message, and is deleted at the server."""

    def case(lab, receiver):
        with contextlib.closing(Dovecot(lab)) as server:
            set_up(lab, receiver, server.url(scheme), server.cert, "batch = 7\n")
            path = path_of_ann(lab, receiver)
            for number in range(20):
                server.put(dsn(path, "ann@d1.test", text=f"User unknown {number}"))
            events = lab.wait_events("bounced", 20)
            assert all(event["confirmed"] for event in events), events[0]
            wait_until(lambda: server.mails() == 0, 15, "the mail is still at the server")
            assert not lab.events("trouble"), lab.events("trouble")
            assert len(lab.events("bounced")) == 20

    case.__name__ = "emptied_" + scheme
    return case


def kept(scheme):
    """With after = "keep" the mail stays, and is not read twice: not at the next poll, not after a restart."""

    def case(lab, receiver):
        with contextlib.closing(Dovecot(lab)) as server:
            set_up(lab, receiver, server.url(scheme), server.cert, 'after = "keep"\n')
            path = path_of_ann(lab, receiver)
            for _ in range(5):
                server.put(dsn(path, "ann@d1.test"))
            lab.wait_events("bounced", 5)
            time.sleep(2.5)
            lab.relay.stop()
            lab.serve()
            server.put(dsn(path, "ann@d1.test"))
            lab.wait_events("bounced", 6)
            time.sleep(2.5)
            assert len(lab.events("bounced")) == 6 and server.mails() == 6, (len(lab.events("bounced")), server.mails())
            assert not lab.events("trouble"), lab.events("trouble")

    case.__name__ = "kept_" + scheme
    return case


def killed(scheme):
    """kill -9 in the middle, again and again: every mail is handed to the Maildir, and none twice."""

    def case(lab, receiver):
        with contextlib.closing(Dovecot(lab)) as server:
            set_up(lab, receiver, server.url(scheme), server.cert, "batch = 5\n")
            path = path_of_ann(lab, receiver)
            # Mail that nobody can match is kept: each one taken can be counted.
            for number in range(150):
                server.put(b"From: people@d1.test\r\nTo: " + path.encode() + b"\r\nSubject: n" + str(number).encode()
                           + b"\r\n\r\nWhere is my order?\r\n.\r\n..x\r\n")
            folder = lab.dir / "returns"

            def taken():
                files = [f for part in ("new", ".Unmatched/new") for f in (folder / part).glob("*.mailbox")]
                return files if len(files) == len({f.name for f in files}) else []

            for round_number in range(6):
                before = len(taken())
                wait_until(lambda least=before: len(taken()) > least or server.mails() == 0, 15, "nothing is fetched")
                time.sleep(0.011 * round_number)
                lab.relay.kill()
                lab.serve()
            wait_until(lambda: server.mails() == 0, 60, "the mail is still at the server")
            wait_until(lambda: not list((folder / "new").glob("*")), 30, "the mail is not read")
            assert all(f.read_bytes().replace(b"\r", b"").endswith(b"\n.\n..x\n") for f in (folder / ".Unmatched/new").iterdir())
            subjects = [line for f in (folder / ".Unmatched/new").iterdir() for line in f.read_text().splitlines()
                        if line.startswith("Subject: n")]
            assert len(subjects) == 150 and len(set(subjects)) == 150, (len(subjects), len(set(subjects)))

    case.__name__ = "killed_" + scheme
    return case


def untrusted(lab, receiver):
    """A certificate that nobody vouches for, and a wrong password: nothing is fetched, and the log says why."""
    with contextlib.closing(Dovecot(lab)) as server:
        server.put(b"From: a@b.test\r\nSubject: x\r\n\r\nhello\r\n")
        set_up(lab, receiver, server.url("imaps"))
        event = lab.wait_events("trouble", 1)[0]
        assert "certificate" in event["reply"] and event["reply"].startswith("imaps://localhost:"), event
        lab.relay.stop()
        lab.config.write_text(lab.config.read_text() + f'[tls]\nca_file = "{server.cert}"\n')
        (lab.dir / "password").write_text("wrong\n")
        lab.serve()
        wait_until(lambda: any("denied" in e["reply"].lower() for e in lab.events("trouble")), 20, "no word of the password")
        assert server.mails() == 1, "fetched without trust"
        (lab.dir / "password").write_text("secret\n")
        lab.relay.stop()
        lab.serve()
        wait_until(lambda: server.mails() == 0, 20, "with trust and password nothing is fetched")


class Villain:
    """A POP3 server in clear that knows no good. `listing` is what it says to UIDL and LIST, `mail(number)` a generator of octets."""

    def __init__(self, uidl=b"", sizes=b"", mail=None, silent=False, endless=b""):
        self.uidl, self.sizes, self.mail, self.silent, self.endless = uidl, sizes, mail, silent, endless
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.deleted, self.retrieved, self.sessions = [], [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.server.accept()[0]
            except OSError:
                return
            self.sessions += 1
            threading.Thread(target=self.quietly, args=(client,), daemon=True).start()

    def quietly(self, client):
        with client, contextlib.suppress(OSError):
            self.talk(client)

    def talk(self, client):
        if self.silent:
            while client.recv(100):
                pass
            return
        client.sendall(b"+OK here\r\n")
        for line in client.makefile("rb"):
            word = line.split()[0].upper() if line.split() else b""
            if self.endless and word == self.endless:
                client.sendall(b"" if word == b"CAPA" else b"+OK\r\n")
                while True:
                    client.sendall(b"x" * 65536)
            elif word == b"CAPA":
                client.sendall(b"+OK\r\nUSER\r\nUIDL\r\n.\r\n")
            elif word == b"UIDL":
                client.sendall(b"-ERR what?\r\n" if self.uidl is None else b"+OK\r\n" + self.uidl + b".\r\n")
            elif word == b"LIST":
                client.sendall(b"+OK\r\n" + self.sizes + b".\r\n")
            elif word == b"RETR":
                self.retrieved.append(int(line.split()[1]))
                client.sendall(b"+OK\r\n")
                for piece in self.mail(int(line.split()[1])):
                    client.sendall(piece)
                client.sendall(b"\r\n.\r\n")
            elif word == b"DELE":
                self.deleted.append(int(line.split()[1]))
                client.sendall(b"+OK\r\n")
            else:
                client.sendall(b"+OK\r\n")
                if word == b"QUIT":
                    return

    def close(self):
        self.server.close()


def note(number):
    yield b"From: a@b.test\r\nSubject: number %d\r\n\r\nhello" % number


# An idle relay needs about 50 MB, and a mail of 100 MB held in memory shows.
MOST_MEMORY = 110


def most_memory_of(lab):
    """The most that it ever had, in MB."""
    text = pathlib.Path(f"/proc/{lab.relay.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) // 1024


def against(lab, receiver, villain, more=""):
    set_up(lab, receiver, f"pop3://127.0.0.1:{villain.port}", more='tls = "off"\ntimeout = "2s"\n' + more)
    return lambda part, seconds=20: wait_until(
        lambda: [e for e in lab.events("trouble") if part in e["reply"]], seconds, f"no trouble says: {part}")


def silent(lab, receiver):
    """A server that accepts and says nothing: the session ends in time, and so does the relay."""
    with contextlib.closing(Villain(silent=True)) as villain:
        told = against(lab, receiver, villain)
        told("pop3://127.0.0.1:", 10)
        path_of_ann(lab, receiver)
        began = time.monotonic()
        lab.relay.stop()
        assert time.monotonic() - began < 10, "a silent server keeps the relay from ending"


def endless(word):
    """Lines without an end, as a reply and as a list: bounded memory, a clear event, and the session is over."""

    def case(lab, receiver):
        with contextlib.closing(Villain(uidl=b"1 a\r\n", sizes=b"1 10\r\n", mail=note, endless=word)) as villain:
            told = against(lab, receiver, villain)
            told("pop3://127.0.0.1:", 40)
            assert most_memory_of(lab) < MOST_MEMORY, most_memory_of(lab)
            assert not villain.retrieved, villain.retrieved

    case.__name__ = "endless_" + word.decode().lower()
    return case


def huge(lab, receiver):
    """100 MB, said and not said: not fetched, left at the server, told once; the mail behind them comes."""

    def mail(number):
        if number == 2:
            for _ in range(1600):
                yield b"y" * 65534 + b"\r\n"
        yield from note(number)

    with contextlib.closing(Villain(b"1 a\r\n2 b\r\n3 c\r\n", b"1 104857600\r\n2 300\r\n3 50\r\n", mail)) as villain:
        told = against(lab, receiver, villain, 'max_size = "1MB"\n')
        told("mail a has 104857600 octets")
        told("mail b is larger than max_size")
        wait_until(lambda: (lab.dir / "returns/.Unmatched/new").exists() and list((lab.dir / "returns/.Unmatched/new").iterdir()), 20,
                   "the mail behind them does not come")
        time.sleep(2.5)
        assert 1 not in villain.retrieved and villain.retrieved.count(2) == 1, villain.retrieved
        assert set(villain.deleted) == {3}, villain.deleted
        assert most_memory_of(lab) < MOST_MEMORY, most_memory_of(lab)


def broken_list(lab, receiver):
    """UIDL with lines that say nothing, names twice and numbers that are not there: what is clear is read, once."""
    uidl = b"1 a\r\n2 a\r\nx y\r\n3\r\n-1 b\r\n99999999999999999999999 c\r\n7 ghost\r\n4 " + b"u" * 5000 + b"\r\n5 \x01\x02\r\n6 good\r\n"
    with contextlib.closing(Villain(uidl, b"".join(b"%d 50\r\n" % n for n in range(1, 7)), note)) as villain:
        told = against(lab, receiver, villain)
        told("8 lines of its list")
        wait_until(lambda: len(list((lab.dir / "returns/.Unmatched/new").iterdir())) == 2, 20, "what is clear is not read")
        time.sleep(2.5)
        assert sorted(villain.retrieved) == [1, 6], villain.retrieved
        assert set(villain.deleted) == {1, 6}, villain.deleted


def without_uidl(lab, receiver):
    """A server without UIDL: nothing is fetched, and the log says why."""
    with contextlib.closing(Villain(None, b"1 50\r\n", note)) as villain:
        against(lab, receiver, villain)("without UIDL")
        assert not villain.retrieved, villain.retrieved


def mistakes(lab, receiver):
    """`check` tells of a mailbox that cannot be, with the place."""
    set_up(lab, receiver, "pop3s://mail.test", more='timeout = "2s"\n')
    good = lab.config.read_text()
    for old, new, part in (('"pop3s://mail.test"', '"http://mail.test"', "is no mailbox"),
                           ('"pop3s://mail.test"', '"pop3s://u@mail.test"', "names a user"),
                           ('login = "bounces"', 'login = "other"', "there is no [[login]]"),
                           ('timeout = "2s"', 'tls = "off"', "TLS from the start"),
                           ('timeout = "2s"', 'after = "sometimes"', "after")):
        lab.config.write_text(good.replace(old, new))
        done = subprocess.run([bin_dir() / "penstock", "-c", lab.config, "check"], capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and part in done.stderr and f"{lab.config.name}:" in done.stderr, (new, done)


CASES = [emptied("pop3s"), emptied("pop3"), emptied("imaps"), emptied("imap"), kept("pop3s"), kept("imaps"), killed("pop3s"),
         killed("imaps"), untrusted, silent, endless(b"CAPA"), endless(b"UIDL"),
         endless(b"LIST"), huge, broken_list, without_uidl, mistakes]
NEED_ROOT = ("emptied", "kept", "killed", "untrusted")


def left_out(case):
    needs_root = case.__name__.startswith(NEED_ROOT) and os.geteuid() != 0
    return "Dovecot can be started by root only" if needs_root else None


if __name__ == "__main__":
    sys.exit(run_cases("returns_mailbox", CASES, left_out))
