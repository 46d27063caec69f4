"""Much big mail for a receiver that takes it slowly: the memory for bodies is bounded, and small mail for others goes on beside it."""
import re
import smtplib
import socket
import threading
import time

from harness import free_port, wait_until

BIG, MESSAGES = 2_000_000, 200
BODY_MEMORY = 20_000_000
# Beside the bodies: a reader and the system have a copy of some for a moment.
BESIDES_KB = 50_000


class SlowReceiver:
    """Takes some 5 MB a second on each connection."""

    def __init__(self, port):
        self.taken, self.at_once, self.most = 0, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.talk, args=(peer,), daemon=True).start()

    def talk(self, peer):
        with peer, peer.makefile("rb") as lines:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            peer.sendall(b"220 slow\r\n")
            while line := lines.readline():
                peer.sendall({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(line[:4].upper(), b"250 ok\r\n"))
                if line[:4].upper() == b"DATA" and self.body(peer):
                    peer.sendall(b"250 2.0.0 taken\r\n")

    def body(self, peer):
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        end = b""
        while not end.endswith(b"\r\n.\r\n"):
            piece = peer.recv(65536)
            if not piece:
                return False
            end = (end + piece)[-5:]
            time.sleep(0.012)
        with self.lock:
            self.at_once -= 1
            self.taken += 1
        return True


def peak_kb(pid):
    return int(re.search(r"^VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M).group(1))


def hand_in(lab, domain, count, text):
    with smtplib.SMTP("127.0.0.1", lab.port, "client.test", 30) as client:
        for _ in range(count):
            client.sendmail("a@sender.test", [f"u@{domain}"], text)


def big_mail_to_a_slow_receiver(lab):
    port = free_port()
    _, fast, _ = lab.sink("fast")
    rule = '[[rule]]\nname = "{0}"\ndomains = ["{0}.test"]\nmax_connections = 300\nmin_connections = 300\nsmart_hosts = ["127.0.0.1:{1}"]\n'
    lab.write_config(spool=f"body_memory = {BODY_MEMORY}\n", tail=rule.format("slow", port) + rule.format("fast", fast))
    lab.serve()
    hand_in(lab, "slow.test", MESSAGES, "Subject: big\r\n\r\n" + ("x" * 70 + "\r\n") * (BIG // 72))
    # What it takes to store them is not in the peak of the next one.
    lab.relay.stop()
    slow = SlowReceiver(port)
    relay = lab.serve()
    with open(f"/proc/{relay.pid}/clear_refs", "w") as peak:
        peak.write("5")  # the peak begins anew
    before = peak_kb(relay.pid)
    waits = "waits for memory for bodies (body_memory)"
    wait_until(lambda: any(site["waiting_for"].startswith(waits) for site in lab.queue("summary")["sites"]), 10, "nobody waits for memory")
    began = time.monotonic()
    hand_in(lab, "fast.test", 20, "Subject: small\r\n\r\nx\r\n")
    wait_until(lambda: sum("fast.test" in event["recipient"] for event in lab.events("delivered")) == 20, 10, "small mail does not go")
    small = time.monotonic() - began
    wait_until(lambda: slow.taken == MESSAGES, 120, "not all was delivered")
    grown = peak_kb(relay.pid) - before
    print(f"  {slow.most} big messages at once at most, {grown / 1000:.0f} MB more, small mail after {small:.2f} s")
    assert slow.most >= 5, slow.most
    assert grown < BODY_MEMORY / 1000 + BESIDES_KB, f"it grew by {grown} KB"
    wait_until(lambda: lab.queue("summary")["messages"] == 0, 20, "the queue is not empty")
    assert lab.queue("summary")["bodies_read_back_bytes"] == 0
