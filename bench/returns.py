#!/usr/bin/env python3
"""What mail that comes back costs, measured: the reading of reports, their way from the listener into the ledger, and signed
return paths. Prints a line for each, and fails below the bars that are set here.

  returns.py [--parse N] [--listener N] [--verp N] [--scratch DIR]
      how many mails each (0: leave it out); DIR: where the files of the relay lie. What the listener takes in a second is what
      the disk under it can sync; on a file system that others write to, their writes are waited for as well.

$PENSTOCK_BIN says where the programs are; the release build by default.
"""
import argparse
import multiprocessing
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))
import harness  # noqa: E402
import relay_cpu  # noqa: E402
from harness import Lab, bin_dir, wait_until  # noqa: E402
from returns import Receiver, dsn, send, set_up  # noqa: E402

PARSE_BAR = 15_000  # DSN a second and core
LISTENER_BAR = 5_000  # a second, from the listener into the ledger
VERP_BAR = 1.10  # CPU of a message with a signed return path over that without
RECIPIENTS = 500  # of a message
PROCESSES, CONNECTIONS = 4, 64  # clients, and what each opens: those that wait share a sync


def parse(count):
    """parse-bounce on one core, over an mbox of distinct reports."""
    with Lab("bench-parse") as lab:
        box = lab.dir / "reports.mbox"
        with box.open("wb") as out:
            for number in range(count):
                out.write(b"From MAILER-DAEMON Thu Jan  1 00:00:00 2026\n")
                out.write(dsn("bounces@return.test", f"u{number}@d{number % 50}.test").replace(b"\r\n", b"\n") + b"\n")
        with (lab.dir / "out").open("wb") as out:
            child = subprocess.Popen(["taskset", "-c", "0", bin_dir() / "penstock", "parse-bounce", box], stdout=out)
            _, status, used = os.wait4(child.pid, 0)
        assert status == 0, status
        took = used.ru_utime + used.ru_stime  # of CPU: what else the machine does is left out
        lines = (lab.dir / "out").read_bytes().count(b"\n")
        assert lines == count, f"{lines} objects for {count} reports"
        return count / took


def reply(lines):
    while True:
        line = lines.readline()
        if line[3:4] != b"-":
            return line


def give_back_many(port, paths, numbers):
    """One client: a report for each number to its return path, every command of a transaction in one write."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = client.makefile("rb")
        reply(lines)
        client.sendall(b"EHLO bench\r\n")
        reply(lines)
        for number in numbers:
            to = paths[number]
            client.sendall(f"MAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
            for wanted in (b"250", b"250", b"354"):
                answer = reply(lines)
                assert answer.startswith(wanted), answer
            client.sendall(dsn(to, f"u{number}@d1.test") + b".\r\n")
            answer = reply(lines)
            assert answer.startswith(b"250"), answer


def many_clients(port, paths, numbers):
    """A process with its connections, each with its share of the numbers."""
    failed = []

    def one(share):
        try:
            give_back_many(port, paths, share)
        except (OSError, AssertionError) as error:
            failed.append(error)

    threads = [threading.Thread(target=one, args=(numbers[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} connections failed: {failed[0]}")


def in_ledger(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as ledger:
        return ledger.execute("select count(*) from address").fetchone()[0]


def listener(count):
    """Reports about distinct addresses of one domain: until the last of them is in the ledger's file."""
    receiver = Receiver()
    try:
        with Lab("bench-listener") as lab:
            set_up(lab, receiver, 'queue = 100000\n', 'verp = "domain"\n')
            # A report is believed only about whom the message of its token went to.
            for first in range(0, count, RECIPIENTS):
                send(lab, *[f"u{number}@d1.test" for number in range(first, min(first + RECIPIENTS, count))])
            wait_until(lambda: lab.queue("summary")["messages"] == 0, 120, "the messages are not delivered")
            path_of = {recipient: path for path, recipients, _ in receiver.taken for recipient in recipients}
            paths = [path_of[f"u{number}@d1.test"] for number in range(count)]
            before = relay_cpu.cpu_seconds(lab.relay.pid)
            began = time.monotonic()
            share = count // PROCESSES
            shares = [range(n * share, (n + 1) * share) for n in range(PROCESSES)]
            clients = [multiprocessing.Process(target=many_clients, args=(lab.bounce_port, paths, each)) for each in shares]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
                assert client.exitcode == 0, "a client failed"
            taken = time.monotonic() - began
            ledger = next(lab.dir.rglob("ledger.db"))
            wait_until(lambda: in_ledger(ledger) >= share * PROCESSES, 120, "the addresses are not in the ledger")
            took = time.monotonic() - began
            cpu = relay_cpu.cpu_seconds(lab.relay.pid) - before
            print(f"  accepted {share * PROCESSES / taken:.0f}/s; the relay used {cpu / took:.2f} cores", flush=True)
            return share * PROCESSES / took
    finally:
        receiver.stop()


def cpu_a_message(count, signed):
    """Microseconds of CPU of the relay for a message to one recipient."""
    with Lab("bench-verp") as lab:
        lab.dns(relay_cpu.RECORDS)
        _, port, _ = lab.sink("sink")
        keys = lab.dir / "return.keys"
        keys.write_text("1 " + "5c" * 32 + "\n")
        keys.chmod(0o600)
        tail = f'[returns]\nkeys = "{keys}"\nheader = "X-Penstock-Token"\npath = "{lab.dir}/returns"\n'
        if signed:
            tail += '[[return_path]]\ndomain = "return.sender.test"\n'
        lab.write_config(defaults=f"port = {port}\n", tail=tail if signed else "")
        return relay_cpu.a_message(lab, count)


def verp(count):
    """Without and with, in turns, so that a busy machine is the same to both; the least of each."""
    rounds = [(cpu_a_message(count, False), cpu_a_message(count, True)) for _ in range(3)]
    plain, signed = min(r[0] for r in rounds), min(r[1] for r in rounds)
    print(f"  {plain:.0f} us of CPU a message without, {signed:.0f} us with a signed return path", flush=True)
    return signed / plain


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--parse", type=int, default=100_000)
    parser.add_argument("--listener", type=int, default=40_000)
    parser.add_argument("--verp", type=int, default=20_000)
    parser.add_argument("--scratch", type=pathlib.Path)
    wanted = parser.parse_args()
    if wanted.scratch:
        os.environ["PENSTOCK_BIN"] = str(bin_dir())
        harness.ROOT = wanted.scratch
    missed = False
    for name, count, run, bar, good, unit in (
            ("parse-bounce", wanted.parse, parse, PARSE_BAR, lambda a, b: a >= b, "DSN for a second of one core"),
            ("listener to ledger", wanted.listener, listener, LISTENER_BAR, lambda a, b: a >= b, "reports/s"),
            ("signed return path", wanted.verp, verp, VERP_BAR, lambda a, b: a <= b, "x the CPU of a message")):
        if count == 0:
            continue
        value = run(count)
        met = good(value, bar)
        missed = missed or not met
        print(f"{name}: {value:.2f} {unit} (bar {bar}): {'met' if met else 'MISSED'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
