#!/usr/bin/env python3
"""Runs penstock-load over real sockets against a receiver whose delays are known, and with bad input.

  load_check.py [name ...]     all checks, or those whose name holds one of the words
"""
import asyncio
import base64
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOAD = pathlib.Path(os.environ.get("PENSTOCK_BIN", ROOT / "build" / "release" / "bin")) / "penstock-load"


class Receiver:
    """An SMTP receiver on a thread of its own. `delay` seconds before the 250 of a message; nothing is answered
    from `stall[0]` to `stall[1]` seconds after the first connection."""

    def __init__(self, delay=0.0, stall=None, tls=None, implicit=False, login=None, offers=("PIPELINING",)):
        self.delay, self.stall, self.tls, self.implicit = delay, stall, tls, implicit
        self.login, self.offers = login, list(offers)
        self.first = None
        self.messages, self.recipients, self.secured = [], [], 0
        self.loop = asyncio.new_event_loop()
        # What the other side breaks off (a certificate it does not like) is no mistake here.
        self.loop.set_exception_handler(lambda *_: None)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        context = self.tls if self.implicit else None
        self.server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self.session, "127.0.0.1", 0, ssl=context, limit=1 << 22), self.loop).result(10)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.server.close)
        asyncio.run_coroutine_threadsafe(self.end_sessions(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def end_sessions(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def pause(self):
        await asyncio.sleep(self.delay)
        if self.stall:
            passed = time.monotonic() - self.first
            if self.stall[0] <= passed < self.stall[1]:
                await asyncio.sleep(self.stall[1] - passed)

    async def log_in(self, line, reader, writer):
        words = line.split()
        if words[1] == "PLAIN":
            given = base64.b64decode(words[2]).decode().split("\0")[1:]
        else:
            given = []
            for prompt in ("Username:", "Password:"):
                writer.write(b"334 " + base64.b64encode(prompt.encode()) + b"\r\n")
                given.append(base64.b64decode(await reader.readline()).decode())
        return b"235 2.7.0 ok\r\n" if given == list(self.login) else b"535 5.7.8 wrong\r\n"

    async def session(self, reader, writer):
        self.first = self.first or time.monotonic()
        secure, welcome = self.implicit, not self.login
        writer.write(b"220 receiver.test\r\n")
        try:
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                verb = line[:4].upper()
                if verb == "EHLO":
                    offers = self.offers + (["STARTTLS"] if self.tls and not secure else [])
                    offers += ["AUTH PLAIN LOGIN"] if self.login else []
                    writer.write("".join(f"250-{word}\r\n" for word in offers).encode() + b"250 HELP\r\n")
                elif verb == "STAR":
                    writer.write(b"220 go\r\n")
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    secure = True
                elif verb == "AUTH":
                    reply = await self.log_in(line, reader, writer)
                    welcome = welcome or reply.startswith(b"235")
                    writer.write(reply)
                elif verb == "MAIL" and not welcome:
                    writer.write(b"530 5.7.0 log in first\r\n")
                elif verb == "DATA":
                    writer.write(b"354 go\r\n")
                    content = await reader.readuntil(b"\r\n.\r\n")
                    await self.pause()
                    self.messages.append(content)
                    self.secured += secure
                    writer.write(b"250 2.0.0 taken\r\n")
                elif verb == "BDAT":
                    self.messages.append(await reader.readexactly(int(line.split()[1])))
                    writer.write(b"250 2.0.0 taken\r\n")
                elif verb == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    if verb == "RCPT":
                        self.recipients.append(line)
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def load(port, *options, status=0):
    command = [LOAD, "--to", f"127.0.0.1:{port}", "--json", *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, f"status {done.returncode}, not {status}: {done.stdout[-500:]}{done.stderr[-500:]}"
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stderr


def within(what, value, low, high):
    assert low <= value <= high, f"{what} is {value}, not from {low} to {high}"


def known_delay():
    """Each answer takes 50 ms: so say all percentiles, in both loops."""
    with Receiver(delay=0.05) as receiver:
        for options in (("--rate", 100, "--connections", 20), ("--connections", 8), ("--connections", 8, "--no-pipelining")):
            result = load(receiver.port, "--messages", 200, *options)
            for kind in ("response_ms", "service_ms", "content_ms"):
                within(f"{kind} p50 {options}", result[kind]["p50"], 50, 80)
                within(f"{kind} p99 {options}", result[kind]["p99"], 50, 200)


def stall():
    """200/s for 3 s on two sessions, nothing answered from 1 s to 2 s: of 600 messages, 200 wait up to a second
    each. The worst 10 % (60) waited at least 1 - 60/200 = 0.7 s, the worst 1 % 0.97 s. Two sessions can only have
    two messages in the stall, which is all that the service time shows."""
    with Receiver(stall=(1.0, 2.0)) as receiver:
        result = load(receiver.port, "--rate", 200, "--duration", 3, "--connections", 2)
    assert result["accepted"] == 600, result["accepted"]
    within("response p90", result["response_ms"]["p90"], 650, 900)
    within("response p99", result["response_ms"]["p99"], 930, 1250)
    within("response p50", result["response_ms"]["p50"], 0, 150)
    within("service p99", result["service_ms"]["p99"], 0, 300)
    within("service max", result["service_ms"]["max"], 900, 1250)


def silence():
    """100/s for 3 s on two sessions, nothing answered from 1 s on: those that were due in the silence and never begun are
    told as unanswered too."""
    with Receiver(stall=(1.0, 30.0)) as receiver:
        result = load(receiver.port, "--rate", 100, "--duration", 3, "--connections", 2, "--patience", 3, status=1)
    within("accepted", result["accepted"], 50, 105)
    assert result["accepted"] + result["unanswered"] == 300, (result["accepted"], result["unanswered"])
    assert "no message was answered for 3 s" in result["gave_up_reason"], result["gave_up_reason"]


def tls_and_login():
    with tempfile.TemporaryDirectory() as place:
        certificate, key = f"{place}/cert.pem", f"{place}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=mx.test", "-addext", "subjectAltName=DNS:mx.test", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        secret = pathlib.Path(place) / "password"
        secret.write_text("open sesame\n", encoding="utf-8")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        many = ("--messages", 60, "--connections", 3, "--size", "100k")
        for implicit, flag in ((False, "--starttls"), (True, "--tls")):
            with Receiver(tls=context, implicit=implicit, login=("shop", "open sesame")) as receiver:
                for how in ("plain", "login"):
                    load(receiver.port, flag, *many, "--user", "shop", "--password-file", secret, "--auth", how)
                load(receiver.port, flag, *many, "--tls-ca", certificate, "--tls-name", "mx.test", "--user", "shop",
                     "--password-file", secret)
                assert receiver.secured == 180, receiver.secured
                assert {len(message) for message in receiver.messages} == {100 * 1024 + 3}
                out = load(receiver.port, flag, *many, "--tls-ca", certificate, "--tls-name", "other.test", "--user", "shop",
                           "--password-file", secret, "--patience", 1, "--connect-timeout", 1, status=1)
                assert "certificate verify failed" in out["gave_up_reason"], out["gave_up_reason"]
        with Receiver(login=("shop", "open sesame")) as receiver:
            out = load(receiver.port, *many, "--user", "shop", "--password", "wrong", "--patience", 1, status=1)
            assert "535 5.7.8 wrong" in out["gave_up_reason"], out["gave_up_reason"]
            out = load(receiver.port, "--starttls", *many, "--patience", 1, status=1)
            assert "does not offer STARTTLS" in out["gave_up_reason"], out["gave_up_reason"]


def content():
    """A template arrives as it was written, by DATA and by BDAT, in both ways of talking."""
    with tempfile.TemporaryDirectory() as place:
        template = pathlib.Path(place) / "letter.eml"
        template.write_text("Subject: Dear {local}\nX-Load-Id: {id}\n\n.Hello {recipient},\n<p style='a{b:c}'>\n..\n", encoding="utf-8")
        for offers, options in ((["PIPELINING"], []), ([], []), (["PIPELINING", "CHUNKING"], ["--chunking"]),
                                (["CHUNKING"], ["--chunking"])):
            with Receiver(offers=offers) as receiver:
                load(receiver.port, "--messages", 20, "--connections", 2, "--template", template, "--prefix", "r", "--domains",
                     "a.test", "--recipients", 2, *options)
                dot, end = (b"", b"") if "CHUNKING" in offers else (b".", b".\r\n")
                expected = {b"Subject: Dear user%d\r\nX-Load-Id: r-%d\r\n\r\n%s.Hello user%d@a.test,\r\n<p style='a{b:c}'>\r\n%s..\r\n%s"
                            % (i, i, dot, i, dot, end) for i in range(1, 21)}
                assert set(receiver.messages) == expected, sorted(receiver.messages)[:1]
                assert len(set(receiver.recipients)) == 40, len(set(receiver.recipients))


def bad_input():
    with tempfile.TemporaryDirectory() as place:
        template = pathlib.Path(place) / "bad.eml"
        template.write_text("Subject: x\n\nHello {recipent}\n", encoding="utf-8")
        for options, part in (
                (["--template", template], f"{template}:3:7: unknown placeholder {{recipent}}"),
                (["--template", f"{place}/none"], "none: cannot be read"),
                (["--size", "10q"], "--size: '10q': not a size"),
                (["--domains", "0"], "no domain"),
                (["--rate", "-1"], "--rate"),
                (["--no-such-option"], "no-such-option"),
                (["--poisson"], "--poisson goes with --rate"),
                (["--html", f"{place}/no/page.html"], "No such file or directory"),
                (["--from", "a b"], "no blanks")):
            out = load(1, *options, status=2)
            assert part in out, f"{options}: {out}"
        began = time.monotonic()
        out = load(1, "--connect-timeout", 1, status=1)
        assert "cannot connect to 127.0.0.1:1: Connection refused" in out["gave_up_reason"], out
        within("seconds until an unreachable relay is told", time.monotonic() - began, 0.9, 5)
        few = subprocess.run(["bash", "-c", f"ulimit -n 64; exec {LOAD} --to 127.0.0.1:1 --connections 500"],
                             capture_output=True, text=True, timeout=20, check=False)
        assert few.returncode == 2 and "file descriptors are needed" in few.stderr, few


def page():
    with Receiver() as receiver, tempfile.TemporaryDirectory() as place:
        load(receiver.port, "--messages", 300, "--rate", 300, "--html", f"{place}/page.html", "--json-file", f"{place}/r.json")
        text = pathlib.Path(f"{place}/page.html").read_text(encoding="utf-8")
        kept = json.loads(pathlib.Path(f"{place}/r.json").read_text(encoding="utf-8"))
    for part in ("Throughput", "Latency percentiles", "Outcomes by reply", "250 2.0.0 taken", "300 (100 %)", "<svg class=\"chart\""):
        assert part in text, part
    for foreign in ("http://", "https://", "<script", "src=", "@import", "url("):
        assert foreign not in text, foreign
    no_number = re.search(r".{0,40}\b(nan|inf)\b.{0,40}", text)
    assert not no_number, no_number[0]
    assert kept["accepted"] == 300 and kept["outcomes"] == {"250 2.0.0 taken": 300}, kept["outcomes"]


CHECKS = [known_delay, stall, silence, tls_and_login, content, bad_input, page]


def main():
    words = sys.argv[1:]
    failed = 0
    for check in CHECKS:
        if words and not any(word in check.__name__ for word in words):
            continue
        began = time.monotonic()
        try:
            check()
            print(f"load {check.__name__}: ok ({time.monotonic() - began:.1f} s)")
        except AssertionError as error:
            failed += 1
            print(f"load {check.__name__}: FAILED: {error}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
