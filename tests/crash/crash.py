#!/usr/bin/env python3
"""Kills the relay at random moments under load: every message that got a 250 must arrive.

  crash.py [--rounds N] [--seed S] [--case kill|full|readonly|all]

A round: load runs, kill -9 at a random moment, start again on the same spool. After the last round the queue drains;
then each id with a 250 must be in the receiver's list. Twice is permitted (a crash between the final dot and its reply,
RFC 5321 6.1) and counted. Exit status 1 when one is missing.
"""
import argparse
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from harness import Lab, bin_dir, read_ids, wait_until  # noqa: E402

DOMAINS = 20


def start_load(lab, number, messages, ids, *options):
    return lab.start(f"load-{number}", [
        bin_dir() / "penstock-load", "--to", f"127.0.0.1:{lab.port}", "--messages", messages, "--connections", 20,
        "--size", 4000, "--domains", DOMAINS, "--ids", ids, "--prefix", f"r{number}", "--patience", 120, *options])


def start_lab(lab, **config):
    _, port, sunk = lab.sink("sink", "--quiet")
    lab.dns(["mx A 127.0.0.1"] + [f"d{i} MX 10 mx" for i in range(1, DOMAINS + 1)])
    # A kill drops open connections, which defers; the first tries come again at once.
    defaults = f'port = {port}\nschedule = ["20 x 1s", "200 x 5s"]\nvalidity = "1h"\n'
    lab.write_config(defaults=defaults, tail='[backoff]\nfirst = "200ms"\nmax = "1s"', **config)
    return sunk


def drained(lab):
    summary = lab.queue("summary")
    return summary["messages"] == 0


def judge(what, accepted, sunk):
    sent, got = read_ids(accepted), read_ids(sunk)
    lost = [key for key in sent if key not in got]
    doubled = sum(count - 1 for key, count in got.items() if key in sent)
    unasked = sum(1 for key in got if key not in sent)
    print(f"{what}: {len(sent)} accepted, {len(lost)} lost, {doubled} doubled, "
          f"{unasked} arrived without a 250 to the client")
    if lost:
        print("lost:", ", ".join(lost[:20]))
    return not lost and bool(sent)


def kill_rounds(rounds, seed):
    dice = random.Random(seed)
    with Lab("crash-kill") as lab:
        sunk = start_lab(lab)
        accepted = lab.dir / "accepted.ids"
        loads = []
        slowest = 0.0
        for number in range(rounds):
            began = time.monotonic()
            lab.serve()
            slowest = max(slowest, time.monotonic() - began)
            loads = [load for load in loads if load.alive()]
            if not loads:
                # Paced, so that the load is still running whenever the kill comes.
                loads.append(start_load(lab, f"{seed}-{number}", 20000, accepted, "--rate", dice.choice([500, 2000])))
            time.sleep(dice.uniform(0.02, 1.2))
            lab.relay.kill()
            if (number + 1) % 10 == 0:
                print(f"{number + 1} of {rounds} kills, {len(read_ids(accepted))} accepted so far", flush=True)
        for load in loads:
            load.stop()
        lab.serve()
        lab.queue("retry", "--all")
        wait_until(lambda: drained(lab), 180, "the queue does not drain: " + str(lab.queue("summary")))
        aside = [line for line in lab.relay.text().splitlines() if "set aside" in line]
        if aside:
            print("\n".join(aside[:5]))
        good = judge(f"{rounds} kills (seed {seed}, slowest start {slowest:.2f} s)", accepted, sunk)
        if lab.relay.stop() != 0:
            print("the relay did not end with status 0")
            good = False
        if not good:
            raise AssertionError("mail was lost")


def small_disk(lab):
    """A tmpfs of 60 MB, or None where mounts are not permitted."""
    place = lab.dir / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "none", place], capture_output=True, check=False)
    return place if done.returncode == 0 else None


def full_disk():
    """The disk fills up: new mail is refused with 452, what was accepted arrives, room is used again."""
    with Lab("crash-full") as lab:
        place = small_disk(lab)
        limit = None
        if place is None:
            place = lab.dir / "disk"

            def limit():  # a file size limit stands in for the full disk: writes fail with EFBIG
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, 20_000_000))
        try:
            sink_free = start_lab(lab, spool=f'path = "{place}/spool"\nreserve = "1kB"\n')
            accepted = lab.dir / "accepted.ids"
            sink = lab.processes[0]
            sink.child.send_signal(signal.SIGSTOP)  # nothing goes out, so the spool fills
            lab.serve(preexec=limit)
            load = start_load(lab, "full", 60000, accepted)
            load.child.wait(180)
            report = load.text()
            print(report.strip())
            if "452" not in report and "451" not in report:
                raise AssertionError("a full disk was not answered with a 4xx reply")
            if not lab.relay.alive():
                raise AssertionError("the relay did not live through a full disk: " + lab.relay.text()[-1000:])
            lab.relay.kill()
            sink.child.send_signal(signal.SIGCONT)
            if limit is None:
                subprocess.run(["mount", "-o", "remount,size=400m", place], check=True)
            lab.serve()
            lab.queue("retry", "--all")
            wait_until(lambda: drained(lab), 180, "the queue does not drain after the full disk")
            if not judge("full disk", accepted, sink_free):
                raise AssertionError("mail was lost")
        finally:
            for process in reversed(lab.processes):
                process.kill()
            subprocess.run(["umount", lab.dir / "disk"], capture_output=True, check=False)


def readonly_disk():
    """The disk turns read-only: new mail gets a 4xx; a restart on the read-only disk fails with a clear message."""
    with Lab("crash-readonly") as lab:
        place = small_disk(lab)
        if place is None:
            print("read-only disk: left out, mounting is not permitted here")
            return
        try:
            sunk = start_lab(lab, spool=f'path = "{place}/spool"\nreserve = "1MB"\n')
            accepted = lab.dir / "accepted.ids"
            sink = lab.processes[0]
            sink.child.send_signal(signal.SIGSTOP)
            lab.serve()
            start_load(lab, "before", 300, accepted).child.wait(60)
            lab.relay.kill()
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
            refused = lab.start("readonly", [bin_dir() / "penstock", "-c", lab.config, "serve"])
            try:
                status = refused.child.wait(30)
                print(f"start on a read-only disk: status {status}: {refused.text().strip()[-200:]}")
                if status == 0 or not refused.text().strip():
                    raise AssertionError("a start on a read-only disk must fail with a message")
            except subprocess.TimeoutExpired:
                report = start_load(lab, "during", 10, lab.dir / "during.ids")
                report.child.wait(60)
                if read_ids(lab.dir / "during.ids"):
                    raise AssertionError("a read-only spool took mail") from None
                refused.kill()
            subprocess.run(["mount", "-o", "remount,rw", place], check=True)
            sink.child.send_signal(signal.SIGCONT)
            lab.serve()
            lab.queue("retry", "--all")
            wait_until(lambda: drained(lab), 120, "the queue does not drain after the read-only disk")
            if not judge("read-only disk", accepted, sunk):
                raise AssertionError("mail was lost")
        finally:
            for process in reversed(lab.processes):
                process.kill()
            subprocess.run(["umount", lab.dir / "disk"], capture_output=True, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    parser.add_argument("--case", choices=["kill", "full", "readonly", "all"], default="all")
    chosen = parser.parse_args()
    if chosen.case in ("kill", "all"):
        kill_rounds(chosen.rounds, chosen.seed)
    if chosen.case in ("full", "all"):
        full_disk()
    if chosen.case in ("readonly", "all"):
        readonly_disk()
    print("crash: all accepted mail arrived")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as trouble:
        print(f"crash: FAILED: {trouble}")
        sys.exit(1)
