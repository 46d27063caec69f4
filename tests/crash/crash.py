#!/usr/bin/env python3
"""Kills the relay at random moments under load: every message that got a 250 must arrive.

  crash.py [--rounds N] [--seed S] [--case kill|power|sync|descriptors|full|readonly|all]

A round: load runs, kill -9 at a random moment, start again on the same spool. After the last round the queue drains;
then each id with a 250 must be in the receiver's list. Twice is permitted (a crash between the final dot and its reply,
RFC 5321 6.1) and counted. Exit status 1 when one is missing.

power: the same with power cuts: what was not synced at the kill is lost in part (lossy_disk.cc in LD_PRELOAD says what that is; a block
device that drops writes wants a device mapper, which containers have not). sync: syncs fail for a while and lose what they should have
written; the relay goes on by itself, and is cut off afterwards. descriptors: clients take all the relay has while the spool needs files.
"""
import argparse
import os
import pathlib
import random
import resource
import signal
import socket
import struct
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


def undo_unsynced(log, dice):
    """What a power cut does to what pwrite() wrote and nobody synced: of each file a part of it is lost. Returns how many writes."""
    octets, at, unsynced = log.read_bytes(), 0, {}
    while at + 41 <= len(octets):
        letter = octets[at:at + 1]
        _, offset, size, path_size, before_size = struct.unpack("<5Q", octets[at + 1:at + 41])
        path = octets[at + 41:at + 41 + path_size].decode()
        before = octets[at + 41 + path_size:at + 41 + path_size + before_size]
        at += 41 + path_size + before_size
        if letter == b"S":
            unsynced.pop(path, None)
        else:
            unsynced.setdefault(path, []).append((offset, size, before))
    lost = 0
    for path, writes in unsynced.items():
        share = dice.choice([0, 0.5, 1])
        if not os.path.exists(path):
            continue
        with open(path, "r+b") as file:
            for offset, size, before in reversed(writes):
                end = os.fstat(file.fileno()).st_size
                if dice.random() >= share:
                    continue
                lost += 1
                file.seek(offset)
                file.write(before.ljust(min(size, max(0, end - offset)), b"\0"))
                if end == offset + size and dice.random() < 0.5:  # the size was not written down either
                    file.truncate(offset + len(before))
    log.unlink()
    return lost


def lossy(lab):
    """(environment for the relay, the log of its writes, the file that makes syncs fail); see lossy_disk.cc."""
    library = bin_dir() / "lossy_disk.so"
    if not library.exists():
        raise AssertionError(f"there is no {library}: build the tests")
    log, fail = lab.dir / "writes.log", lab.dir / "syncs-fail"
    return {**os.environ, "LD_PRELOAD": str(library.resolve()), "LOSSY_DIR": f"{lab.dir}/spool", "LOSSY_LOG": str(log),
            "LOSSY_FAIL": str(fail)}, log, fail


def drain_and_judge(what, lab, accepted, sunk, **options):
    lab.serve(**options)
    lab.queue("retry", "--all")
    wait_until(lambda: drained(lab), 180, "the queue does not drain: " + str(lab.queue("summary")))
    said = [line for line in lab.relay.text().splitlines() if "damaged" in line or "set aside" in line or "lost" in line]
    good = judge(what, accepted, sunk)
    if said:  # what a crash leaves is no damage
        raise AssertionError("a crash was taken for damage: " + "; ".join(said[:5]))
    if lab.relay.stop() != 0 or not good:
        raise AssertionError("mail was lost, or the relay did not end with status 0")


def power_cuts(rounds, seed):
    dice = random.Random(seed)
    with Lab("crash-power") as lab:
        sunk = start_lab(lab)
        env, log, _ = lossy(lab)
        accepted = lab.dir / "accepted.ids"
        lost, loads = 0, []
        for number in range(rounds):
            lab.serve(env=env)
            loads = [load for load in loads if load.alive()]
            if not loads:
                loads.append(start_load(lab, f"{seed}-{number}", 20000, accepted, "--rate", dice.choice([500, 2000])))
            time.sleep(dice.uniform(0.3, 1.2))
            lab.relay.kill()
            lost += undo_unsynced(log, dice)
        for load in loads:
            load.stop()
        if lost == 0:
            raise AssertionError("no write was lost: nothing is proven")
        drain_and_judge(f"{rounds} power cuts (seed {seed}, {lost} writes lost)", lab, accepted, sunk)


def losses_are_seen(seed):
    """The same disk under a relay that may answer before it has synced: it loses mail, or the disk is none."""
    dice = random.Random(seed)
    with Lab("crash-relaxed") as lab:
        sunk = start_lab(lab, spool='durability = "relaxed"\n')
        lab.processes[0].child.send_signal(signal.SIGSTOP)  # the receiver: all stays in the spool
        env, log, _ = lossy(lab)
        accepted = lab.dir / "accepted.ids"
        for number in range(6):
            lab.serve(env=env)
            start_load(lab, f"relaxed-{seed}-{number}", 300, accepted).child.wait(60)
            lab.relay.kill()
            undo_unsynced(log, dice)
        lab.processes[0].child.send_signal(signal.SIGCONT)
        lab.serve()
        lab.queue("retry", "--all")
        wait_until(lambda: drained(lab), 180, "the queue does not drain")
        missing = [key for key in read_ids(accepted) if key not in read_ids(sunk)]
        if not missing:
            raise AssertionError("power cuts lose nothing of what was not synced: the rig proves nothing")
        print(f"crash: with durability relaxed the same cuts lose {len(missing)} of {len(read_ids(accepted))}")


def failing_syncs(seed):
    dice = random.Random(seed)
    with Lab("crash-sync") as lab:
        sunk = start_lab(lab)
        env, log, fail = lossy(lab)
        accepted = lab.dir / "accepted.ids"
        lab.serve(env=env)
        load = start_load(lab, f"sync-{seed}", 20000, accepted, "--rate", 500)
        time.sleep(1)
        fail.touch()
        time.sleep(4)
        state = lab.queue("summary")
        fail.unlink()
        before = len(read_ids(accepted))
        wait_until(lambda: len(read_ids(accepted)) > before + 100, 30, "no mail is taken after the disk was good again")
        lab.relay.kill()
        undo_unsynced(log, dice)
        load.stop()
        if state["accepting"] or "cannot be written" not in lab.relay.text():
            raise AssertionError(f"failing syncs were not told: {state}")
        drain_and_judge(f"failing syncs (seed {seed})", lab, accepted, sunk)


def no_descriptors():
    """Clients hold all descriptors that they get; the spool, which needs files meanwhile, and the receivers are served."""
    limit = 160
    with Lab("crash-descriptors") as lab:
        sunk = start_lab(lab, listener="max_connections = 5000\nmax_connections_per_client = 5000\n")
        accepted = lab.dir / "accepted.ids"
        lab.serve(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        load = lab.start("load", [bin_dir() / "penstock-load", "--to", f"127.0.0.1:{lab.port}", "--messages", 1500, "--connections", 10,
                                  "--size", 100000, "--domains", DOMAINS, "--ids", accepted, "--prefix", "fd", "--patience", 120])
        wait_until(lambda: len(read_ids(accepted)) > 20, 30, "the load does not begin")
        held = []
        try:
            for _ in range(limit + 50):
                held.append(socket.create_connection(("127.0.0.1", lab.port), 5))
            if load.child.wait(180) != 0:
                raise AssertionError("mail was not taken while descriptors were short: " + load.text()[-500:])
            if "too many open files" not in lab.relay.text():
                raise AssertionError("the relay does not say that clients wait for descriptors: " + lab.relay.text()[-500:])
        finally:
            for each in held:
                each.close()
        lab.relay.kill()
        drain_and_judge("no descriptors", lab, accepted, sunk)


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
    parser.add_argument("--case", choices=["kill", "power", "sync", "descriptors", "full", "readonly", "all"], default="all")
    chosen = parser.parse_args()
    if chosen.case in ("kill", "all"):
        kill_rounds(chosen.rounds, chosen.seed)
    if chosen.case in ("power", "all"):
        losses_are_seen(chosen.seed)
        power_cuts(max(1, chosen.rounds // 3), chosen.seed)
    if chosen.case in ("sync", "all"):
        failing_syncs(chosen.seed)
    if chosen.case in ("descriptors", "all"):
        no_descriptors()
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
