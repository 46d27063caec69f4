"""Receivers on a port of many loopback addresses: an honest one that writes down what it took, and hostile ones."""
import random
import re
import socket
import threading
import time


class Receiver:
    """Runs `talk(peer, dice)` in a thread for each connection."""

    def __init__(self, place, talk, seed):
        self.talk, self.dice = talk, random.Random(seed)
        self.connections = 0
        self.listener = socket.create_server(place, backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.one, args=(peer, random.Random(self.dice.random())), daemon=True).start()

    def one(self, peer, dice):
        try:
            with peer:
                peer.settimeout(20)
                self.talk(peer, dice)
        except (OSError, ValueError):
            pass


def converse(peer, answer, taken):
    """A plain dialogue; answer(verb) gives the octets to send, None closes. taken(body) when a message ends."""
    peer.sendall(answer(b"GREET") or b"")
    lines = peer.makefile("rb")
    while line := lines.readline(70000):
        verb = line[:4].upper()
        reply = answer(verb)
        if reply is None:
            return
        peer.sendall(reply)
        if verb == b"DATA" and reply.startswith(b"354"):
            body = []
            while (line := lines.readline(70000)) and line != b".\r\n":
                body.append(line)
            if not line:
                return
            taken(b"".join(body))
            reply = answer(b".")
            if reply is None:
                return
            peer.sendall(reply)
        if verb == b"QUIT":
            return


GOOD = {b"GREET": b"220 x\r\n", b"EHLO": b"250-x\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 go\r\n", b"QUIT": b"221 x\r\n"}


class Honest:
    """Knows the X-Id of every message that it took, and what was smuggled."""

    def __init__(self):
        self.ids, self.smuggled = {}, 0

    def talk(self, peer, _):
        converse(peer, lambda verb: GOOD.get(verb, b"250 ok\r\n"), self.take)

    def take(self, body):
        head = body.split(b"\r\n\r\n")[0]
        self.smuggled += head.count(b"X-Smuggled: yes")
        if found := re.search(rb"^X-Id: (\S+)\r$", body, re.M):
            key = found.group(1).decode()
            self.ids[key] = self.ids.get(key, 0) + 1


def early(peer, _):
    """Says that it has the message before it was sent."""
    converse(peer, lambda verb: b"354 go\r\n250 taken\r\n" if verb == b"DATA" else None if verb == b"." else GOOD.get(verb, b"250 ok\r\n"),
             lambda body: None)


def hostile(peer, dice):
    """Something else for each connection."""
    stage = dice.choice([b"GREET", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"."])
    evil = dice.choice(["endless line", "endless reply", "code", "junk", "reset", "drip", "silence", "many", "bomb"])

    def answer(verb):
        if verb != stage:
            return GOOD.get(verb, b"250 ok\r\n")
        if evil == "endless line":
            while True:
                peer.sendall(b"2" * 65536)
        if evil == "endless reply":
            while True:
                peer.sendall(b"250-x\r\n" * 8192)
        if evil == "bomb":
            return b"".join(b"451-4.7.1 " + b"B " * 1500 + b"\r\n" for _ in range(200)) + b"451 4.7.1 end\r\n"
        if evil == "code":
            return b"%d x\r\n" % dice.choice([0, 99, 111, 250, 354, 421, 450, 500, 554, 600, 999])
        if evil == "junk":
            return dice.randbytes(dice.choice([1, 50, 5000])) + b"\r\n"
        if evil == "many":
            return b"250 ok\r\n" * dice.choice([2, 5, 500])
        if evil == "drip":
            for octet in b"250-" + b"x" * 60:
                peer.sendall(bytes([octet]))
                time.sleep(0.05)
        if evil == "silence":
            time.sleep(dice.choice([1, 15]))
        if evil == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return None

    converse(peer, answer, lambda body: None)
