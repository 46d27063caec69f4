"""Hostile clients: each attack takes a connected socket and does its worst for a while. All choices come from the dice."""
import random
import re
import socket
import time

WORDS = [b"EHLO x", b"HELO x", b"MAIL FROM:<a@a.test>", b"MAIL FROM:<>", b"MAIL FROM:<a@a.test> SIZE=99999999999 BODY=8BITMIME RET=FULL",
         b"RCPT TO:<u@evil1.test>", b"RCPT TO:<postmaster>", b"RCPT TO:<u@good.test> NOTIFY=SUCCESS ORCPT=rfc822;x", b"DATA", b"BDAT 10",
         b"BDAT 99999999999999999999", b"BDAT 0 LAST", b"RSET", b"NOOP", b"VRFY x", b"EXPN x", b"HELP", b"STARTTLS", b"AUTH PLAIN AGEAYg==",
         b"AUTH LOGIN", b"*", b".", b"", b"GET / HTTP/1.1", b"XCLIENT ADDR=127.0.0.1", b"\x16\x03\x01\x02\x00\x01\x00", b"Subject: x", b"QUIT"]
REPLY_LINE = re.compile(rb"[2-5][0-9][0-9][ -][\x20-\x7e]{0,508}\r\n|[2-5][0-9][0-9]\r\n")


def mangled(dice, line):
    """The line, or what a broken or hostile program makes of it."""
    octets = bytearray(line)
    for _ in range(dice.choice([0, 0, 1, 3])):
        at = dice.randrange(len(octets) + 1)
        what = dice.random()
        if what < 0.4 and octets:
            octets[at % len(octets)] ^= 1 << dice.randrange(8)
        elif what < 0.7:
            octets[at:at] = dice.choice([b"\0", b"\r", b"\n", b"\r\n.\r\n", b"\n.\n", b"\xff\xfe", b"<", b">", b'"', b"@" * 9])
        else:
            octets[at:at] = bytes([dice.randrange(256)]) * dice.choice([1, 100, 3000])
    return bytes(octets) + dice.choice([b"\r\n"] * 8 + [b"\n", b"\r", b""])


def soup(peer, dice, until):
    """Any commands in any order; every line of every reply must be one (RFC 5321 4.2). Returns the first that is not."""
    peer.settimeout(0.05)
    heard = b""
    while time.monotonic() < until:
        peer.sendall(b"".join(mangled(dice, dice.choice(WORDS)) for _ in range(dice.choice([1, 1, 5, 40]))))
        try:
            heard += peer.recv(65536)
        except TimeoutError:
            continue
        *lines, heard = heard.split(b"\n")
        for line in lines:
            if not REPLY_LINE.fullmatch(line + b"\n"):
                return line
        if dice.random() < 0.02:
            break
    return None


def pouring(line):
    def pour(peer, dice, until):
        """The same command for ever, as fast as it is taken, reading the replies now and then or never."""
        peer.settimeout(0.2)
        reads = dice.random() < 0.7
        block = line * max(1, 16384 // len(line))
        while time.monotonic() < until:
            try:
                peer.sendall(block)
                if reads:
                    peer.recv(1 << 20)
            except TimeoutError:
                if reads:
                    try:
                        peer.recv(1 << 20)
                    except TimeoutError:
                        pass
    return pour


def hoard(peer, dice, until):
    """Recipients or a body that never ends, held."""
    peer.settimeout(0.2)
    peer.sendall(b"EHLO x\r\nMAIL FROM:<a@a.test>\r\n" + b"RCPT TO:<u@evil1.test> NOTIFY=FAILURE\r\n" * dice.choice([1, 2000]) + b"DATA\r\n")
    line = b"y" * 998 + b"\r\n"
    while time.monotonic() < until:
        try:
            peer.sendall(line * 200)
            time.sleep(0.02)
        except TimeoutError:
            try:
                peer.recv(1 << 20)
            except TimeoutError:
                pass


def drip(peer, dice, until):
    """One octet at a time."""
    for octet in b"EHLO " + b"x" * 5000:
        if time.monotonic() > until:
            return
        peer.sendall(bytes([octet]))
        time.sleep(dice.random() * 0.1)


def smuggle(peer, dice, until):
    """What must not end a message, with a transaction behind it (its body says so to the receiver)."""
    peer.settimeout(2)
    inner = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<u@good.test>\r\nDATA\r\nX-Smuggled: yes\r\n\r\nx\r\n.\r\n"
    false_end = dice.choice([b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n"])
    for command in (b"EHLO x", b"MAIL FROM:<a@a.test>", b"RCPT TO:<u@good.test>", b"DATA"):
        peer.sendall(command + b"\r\n")
        peer.recv(4096)
    peer.sendall(b"Subject: x\r\n\r\nx" + false_end + inner + b"\r\n.\r\n")
    while time.monotonic() < until and peer.recv(4096):
        pass


ATTACKS = [soup, soup, soup, pouring(b"EHLO a\r\n"), pouring(b"NOOP\r\n"), pouring(b"HELP\r\n"), pouring(b"x" * 8000),
           pouring(b"MAIL FROM:<u@" + "bücher.例え.test".encode() + b"> SMTPUTF8\r\nRSET\r\n"), hoard, drip, smuggle]


def attack_for_ever(place, dice_seed, until, found, greeted):
    """One attacker after the other, until the time is over. `found` gets what should not be, `greeted` who was let in."""
    dice = random.Random(dice_seed)
    while time.monotonic() < until:
        source = dice.choice(["127.0.0.7", "127.6.0.1", f"127.6.0.{dice.randrange(2, 200)}"])  # the first may relay
        try:
            with socket.create_connection(place, 3, source_address=(source, 0)) as peer:
                if dice.random() < 0.3:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                if dice.random() < 0.5:  # the others talk before the greeting
                    peer.settimeout(3)
                    if peer.recv(3, socket.MSG_PEEK) == b"220":
                        greeted.append(source)
                bad = dice.choice(ATTACKS)(peer, dice, min(until, time.monotonic() + dice.choice([0.3, 1, 4])))
                if bad is not None:
                    found.append(f"a malformed reply: {bad[:200]!r}")
                if dice.random() < 0.3:  # a reset instead of a close
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            time.sleep(0.01)
