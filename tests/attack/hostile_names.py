"""A name server that lies. good.test leads to the honest receiver; bad*.test to the hostile one, early*.test to the one that is early;
about evil*.test anything may come back; before the answer about spoof*.test come forged ones that lead to a trap."""
import random
import socket
import struct
import threading


def name_octets(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def question(packet):
    """(name, type, where it ends)."""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += packet[at] + 1
    return ".".join(labels), struct.unpack(">H", packet[at + 1:at + 3])[0], at + 5


def answer(query, end, records, flags=0x8180, counts=None):
    counts = counts or (1, len(records), 0, 0)
    packet = query[:2] + struct.pack(">HHHHH", flags, *counts) + query[12:end]
    for kind, data in records:
        packet += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return packet


def mx(host):
    return 15, struct.pack(">H", 10) + name_octets(host)


def address(text):
    return 1, socket.inet_aton(text)


class Names:
    def __init__(self, place, seed, hosts):
        self.dice = random.Random(seed)
        self.hosts = hosts  # kind of name -> address
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(place)
        self.tcp = socket.create_server(place)
        self.asked = self.forgeries = 0
        threading.Thread(target=self.serve_udp, daemon=True).start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def true_answer(self, query):
        name, kind, end = question(query)
        first = name.lower().split(".")[0]
        group = first.removeprefix("mx-").rstrip("0123456789")
        if group not in self.hosts:
            return answer(query, end, [], 0x8183)
        if kind == 15 and not first.startswith("mx-"):
            return answer(query, end, [mx("mx-" + name)])
        return answer(query, end, [address(self.hosts[group])] if kind == 1 and first.startswith("mx-") else [])

    def forged(self, query):
        """From one who does not see the question: wrong ids; and with the right one about another name."""
        self.forgeries += 1
        name, kind, end = question(query)
        lie = [mx("mx-trap.test")] if kind == 15 else [address(self.hosts["trap"])]
        wrong = [bytes([query[0] ^ 1 << i, query[1]]) + query[2:] for i in range(8)]
        other = query[:2] + query[2:12] + name_octets("x" + name) + query[end - 4:end]
        return [answer(each, end, lie) for each in wrong] + [answer(other, len(other), lie)]

    def hostile(self, query):
        dice, (name, kind, end) = self.dice, question(query)
        good = answer(query, end, [mx(dice.choice(["mx-bad1.test", "mx-evil1.test", "localhost", "a" * 63 + ".test", ""]))] if kind == 15
                      else [address("127.5.0.2")] * (kind == 1))
        evil = dice.randrange(9)
        if evil == 0:
            return [b""]
        if evil == 1:
            return [answer(query, end, [mx("mx-bad1.test")] * dice.choice([50, 900]))]
        if evil == 2:
            return [answer(query, end, [mx("mx-bad1.test")], 0x8380)]  # cut
        if evil == 3:
            return [answer(query, end, [], 0x8180 | dice.randrange(16))]
        if evil == 4:
            return [answer(query, end, [], counts=(1, 65535, 65535, 65535)) + dice.randbytes(dice.randrange(400))]
        if evil == 5:  # names that point to themselves
            return [answer(query, end, []) [:6] + b"\0\1\0\0\0\0" + query[12:end] + b"\xc0" + bytes([end]) + struct.pack(">HHIH", 15, 1, 60, 4) + b"\0\1\xc0" + bytes([end])]
        if evil == 6:
            return [answer(query, end, [(5, name_octets(name))])]  # an alias of itself
        if evil == 7:
            return [good[:dice.randrange(len(good))]]
        octets = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            octets[dice.randrange(2, len(octets))] ^= 1 << dice.randrange(8)
        return [bytes(octets)]

    def answers(self, query):
        self.asked += 1
        name = question(query)[0].lower()
        if name.startswith(("evil", "mx-evil")):
            return self.hostile(query)
        return (self.forged(query) if "spoof" in name else []) + [self.true_answer(query)]

    def serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                for packet in self.answers(query):
                    self.udp.sendto(packet, peer)
            except (OSError, IndexError):
                pass

    def serve_tcp(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.tcp_one, args=(peer,), daemon=True).start()

    def tcp_one(self, peer):
        try:
            with peer:
                peer.settimeout(5)
                query = peer.recv(4096)[2:]
                for packet in self.answers(query):
                    peer.sendall(struct.pack(">H", len(packet)) + packet)
        except (OSError, IndexError):
            pass
