#!/usr/bin/env python3
"""Hostile peers on all sides of a relay at once, over real sockets: twelve clients, receivers, a name server.

  run.py [--seconds N] [--seed S]      40 seconds by default; an hour by hand: --seconds 3600

Beside them honest clients send mail, and one asks NOOP. In the end: the relay lives and ends in order; what got a 250 arrived, or is in
the queue, or its end is in the log; nothing was smuggled, nothing went to a forged address, nothing that was taken before it was sent counts
as delivered; every reply had the form of one, every line of the log too; memory and descriptors were bounded; no NOOP waited long.
Exit status 1 when one of these is not so. The same seed makes the same choices, in threads that the machine orders.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import random
import re
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from hostile_clients import attack_for_ever  # noqa: E402
from harness import Lab, free_port, wait_until  # noqa: E402
from hostile_names import Names  # noqa: E402
from hostile_receivers import Honest, Receiver, early, hostile  # noqa: E402

ATTACKERS = 12
SLOW_NOOP = 0.050  # seconds, without those in which relay or client waited for a processor
# A machine that others share stands still now and then, which no counter here tells: a few NOOPs may meet that. A relay that lets
# others starve is slow far more often, or far longer.
EXCUSED_NOOPS = 3
LONGEST_NOOP = 0.250
MOST_GROWTH_KB = 200 * 1024
OPEN_CLIENTS = 100  # connections of the attackers that the relay may still hold when they are counted
HOSTS = {"good": "127.5.0.1", "bad": "127.5.0.2", "early": "127.5.0.3", "spoof": "127.5.0.1", "trap": "127.5.0.66"}


def exchange(peer, octets):
    peer.sendall(octets)
    reply = b""
    while not re.search(rb"^\d{3} .*\r\n", reply, re.M):
        more = peer.recv(4096)
        if not more:
            raise OSError("closed")
        reply += more
    return reply


def waited_for_processor(pids):
    """Seconds that the first threads of these were ready to run and did not get a processor."""
    total = 0.0
    for pid in pids:
        try:
            total += int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            pass  # a kernel without it: then the machine has to be idle
    return total


def measure(place, relay_pid, until, slowest):
    """The slowest NOOPs, in order: what they took that was not the machine's being busy with others. The last field is the slowest with that."""
    with socket.create_connection(place, 5, source_address=("127.0.0.9", 0)) as relay:
        relay.settimeout(30)
        relay.recv(512)
        exchange(relay, b"EHLO probe\r\n")
        both = (relay_pid, os.getpid())
        while time.monotonic() < until:
            began, waited = time.monotonic(), waited_for_processor(both)
            exchange(relay, b"NOOP\r\n")
            took = time.monotonic() - began
            own = took - (waited_for_processor(both) - waited)
            slowest[:] = sorted([*slowest[:-1], own], reverse=True)[: EXCUSED_NOOPS + 1] + [max(slowest[-1], took)]
            time.sleep(0.01)


class Sender(threading.Thread):
    """An honest client; knows the id in the queue of all that got a 250."""

    def __init__(self, port, number, seed, until):
        super().__init__(daemon=True)
        self.port, self.number, self.dice, self.until = port, number, random.Random(seed), until
        self.accepted, self.refused = {}, 0  # X-Id -> (id in the queue, domain)

    def run(self):
        count = 0
        while time.monotonic() < self.until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10, source_address=("127.0.0.10", 0)) as peer:
                    peer.recv(512)
                    exchange(peer, b"EHLO honest\r\n")
                    while time.monotonic() < self.until:
                        count += 1
                        self.send(peer, f"{self.number}-{count}")
                        time.sleep(0.02)
            except OSError:
                time.sleep(0.05)

    def send(self, peer, key):
        kind = self.dice.choice(["good", "good", "good", "spoof", "bad", "early", "evil"])
        domain = kind + (str(self.dice.randrange(1, 60)) if kind != "good" else "") + ".test"
        for command in (b"MAIL FROM:<me@good.test>", b"RCPT TO:<u@" + domain.encode() + b">", b"DATA"):
            if exchange(peer, command + b"\r\n")[:1] not in b"23":
                self.refused += 1
                exchange(peer, b"RSET\r\n")
                return
        filling = b"".join(b"." * self.dice.randrange(3) + b"x" * 70 + b"\r\n" for _ in range(self.dice.randrange(200)))
        reply = exchange(peer, b"X-Id: " + key.encode() + b"\r\nSubject: x\r\n\r\n" + filling + b".\r\n")
        if found := re.search(rb"^250 .*queued as (\w+)", reply):
            self.accepted[key] = (found.group(1).decode(), domain)
        else:
            self.refused += 1


def status_kb(pid, field):
    return int(re.search(rf"^{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def attackers(place, seed, until, trouble):
    found, greeted = [], []
    threads = [threading.Thread(target=attack_for_ever, args=(place, f"{seed}-{i}", until, found, greeted)) for i in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trouble.put((found, len(greeted)))


def log_lines(lab):
    """(all events, lines that are none)."""
    events, bad = [], []
    for line in lab.delivery_log.read_bytes().split(b"\n")[:-1]:
        try:
            events.append(json.loads(line.decode("utf-8")))
        except ValueError:
            bad.append(line[:200])
    return events, bad


def judge_mail(lab, senders, honest, say):
    accepted = {key: value for sender in senders for key, value in sender.accepted.items()}
    due = [key for key, (_, domain) in accepted.items() if domain.startswith(("good", "spoof"))]
    try:
        wait_until(lambda: all(key in honest.ids for key in due), 30, "mail is missing")
    except AssertionError:
        say(f"lost: {[key for key in due if key not in honest.ids][:10]} of {len(due)} to the honest receiver")
    # The queue first: what ends after this look at it is in the log by the time that is read.
    queued = {message["id"] for message in lab.queue("list", "--limit", "10000")["messages"]}
    time.sleep(1)
    events, bad_lines = log_lines(lab)
    ended = {event["id"] for event in events if event["event"] in ("delivered", "failed", "expired", "dropped") and "id" in event}
    for key, (queue_id, domain) in accepted.items():
        if queue_id not in ended and queue_id not in queued:
            say(f"message {key} to {domain} ({queue_id}) had its 250 and is nowhere")
    if early_ones := [e for e in events if e["event"] == "delivered" and "@early" in e.get("recipient", "")]:
        say(f"{len(early_ones)} messages that were taken before they were sent count as delivered")
    if bad_lines:
        say(f"{len(bad_lines)} lines of the log are no events: {bad_lines[0]!r}")
    if honest.smuggled:
        say(f"{honest.smuggled} messages were smuggled")
    return len(accepted), len(due), sum(sender.refused for sender in senders)


def siege(lab, seconds, seed, troubles):
    say = troubles.append
    mx_port, dns_port = free_port(), free_port()
    honest = Honest()
    Receiver((HOSTS["good"], mx_port), honest.talk, seed)
    bad = Receiver((HOSTS["bad"], mx_port), hostile, seed + 1)
    hasty = Receiver((HOSTS["early"], mx_port), early, seed)
    trap = Receiver((HOSTS["trap"], mx_port), honest.talk, seed)
    names = Names(("127.0.0.1", dns_port), seed + 2, HOSTS)
    lab.dns_port = dns_port
    lab.write_config(listener='relay_from = ["127.0.0.0/24"]\n', tail='[backoff]\nfirst = "200ms"\nmax = "1s"',
                     defaults=f'port = {mx_port}\nschedule = ["600 x 2s"]\nvalidity = "2h"\ntls = "off"\n')
    relay = lab.serve()
    place, base, base_descriptors = ("127.0.0.1", lab.port), status_kb(relay.pid, "VmRSS"), descriptors(relay.pid)
    until = time.monotonic() + seconds
    fork = multiprocessing.get_context("fork")
    slowest, found = fork.Array("d", [0.0] * (EXCUSED_NOOPS + 2)), fork.Queue()
    children = [fork.Process(target=measure, args=(place, relay.pid, until, slowest), daemon=True),
                fork.Process(target=attackers, args=(place, seed, until, found), daemon=True)]
    for child in children:
        child.start()
    senders = [Sender(lab.port, number, f"{seed}-{number}", until) for number in range(2)]
    for sender in senders:
        sender.start()
    most = most_descriptors = 0
    while time.monotonic() < until and relay.alive():
        most, most_descriptors = max(most, status_kb(relay.pid, "VmRSS")), max(most_descriptors, descriptors(relay.pid))
        time.sleep(0.1)
    if not relay.alive():
        raise AssertionError("the relay ended: " + relay.text()[-2000:])
    bad_replies, greeted = found.get(timeout=60)
    troubles += bad_replies
    children[0].join(60)
    if children[0].exitcode != 0:
        say("the client that asks NOOP was cut off")
    for sender in senders:
        sender.join(60)
    accepted, due, refused = judge_mail(lab, senders, honest, say)
    if trap.connections:
        say(f"{trap.connections} connections went where a forged answer led")
    if slowest[EXCUSED_NOOPS] > SLOW_NOOP or slowest[0] > LONGEST_NOOP:
        say("the slowest NOOPs took " + ", ".join(f"{took * 1000:.0f}" for took in slowest[:-1]) + " ms")
    if most - base > MOST_GROWTH_KB:
        say(f"memory grew by {(most - base) // 1024} MB")
    # On a busy machine what the attackers left open ends some seconds after them.
    for _ in range(200):
        left = descriptors(relay.pid)
        if left <= base_descriptors + OPEN_CLIENTS:
            break
        time.sleep(0.1)
    if left > base_descriptors + OPEN_CLIENTS:
        say(f"{left} descriptors are open; {base_descriptors} at the start")
    if relay.stop() != 0:
        say("the relay did not end in order: " + relay.text()[-500:])
    if due < seconds or greeted < seconds or 0 in (bad.connections, hasty.connections, names.asked, names.forgeries):
        say(f"too little happened to prove anything: {due} messages to the honest receiver, {greeted} attackers were greeted, "
            f"{bad.connections} hostile receivers, {hasty.connections} hasty ones, {names.forgeries} forged answers")
    print(f"attack: {seconds} s, seed {seed}: {accepted} accepted of honest clients ({refused} refused), {bad.connections} connections to hostile "
          f"receivers, {names.asked} questions; slowest NOOPs {slowest[0] * 1000:.1f} and {slowest[1] * 1000:.1f} ms ({slowest[-1] * 1000:.1f} with waits for a processor), memory {base // 1024} -> "
          f"{most // 1024} MB, descriptors {base_descriptors} -> {most_descriptors} -> {left}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    chosen = parser.parse_args()
    print(f"attack: seed {chosen.seed}", flush=True)
    troubles = []
    with Lab("attack") as lab:
        siege(lab, chosen.seconds, chosen.seed, troubles)
        if troubles:
            raise AssertionError("\n".join(troubles))


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        print(f"attack: FAILED: {failure}")
        sys.exit(1)
