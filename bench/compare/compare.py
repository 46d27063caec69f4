"""The driver behind run.sh, which fetches the relays and calls this."""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import gauges
import scenarios
import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PENSTOCK_BIN", ROOT / "build/release/bin"))
# About the same time each; what a relay delivers in a second differs by a factor of hundreds.
MESSAGES = {"penstock": 60_000, "postfix": 3_000, "exim": 1_200, "opensmtpd": 600, "haraka": 3_000}
# Answers 503 to a command that follows the content before its reply, which RFC 2920 §3.1 allows.
ONE_AT_A_TIME = {"haraka"}
SINK_PORT, RELAY_PORT = 22031, 22032


def fail(text):
    raise SystemExit(f"run.sh: {text}")


def port_open(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def stamps(path):
    """id -> microseconds; of an id that came twice the first."""
    times = {}
    for line in open(path):
        word, _, stamp = line.rpartition(" ")
        times.setdefault(word, int(stamp))
    return times


class Sink:
    """The receiver that a relay hands its mail to. It keeps ids for the latency only: a write for each message costs it time."""

    def __init__(self, directory, with_ids):
        self.count, self.ids = directory / "count", directory / "arrived" if with_ids else None
        ids = ["--ids", self.ids, "--id-times"] if with_ids else []
        self.child = subprocess.Popen(
            [BIN / "penstock-sink", "--listen", f"127.0.0.1:{SINK_PORT}", "--count-file", self.count, "--quiet", *ids])
        if not wait_until(lambda: port_open(SINK_PORT), 10):
            fail(f"the receiver does not listen on port {SINK_PORT}")

    def taken(self):
        try:
            return int(self.count.read_text())
        except (OSError, ValueError):
            return 0

    def cpu_seconds(self):
        return gauges.process_seconds(self.child.pid)

    def stop(self):
        self.child.terminate()
        self.child.wait()


class Relay:
    """One relay with a fresh queue in `directory`, until stop()."""

    def __init__(self, name, directory, next_hop=f"127.0.0.1:{SINK_PORT}", trace=None):
        self.name, self.group = name, gauges.Group(name)
        self.log = directory / "relay.out"
        command = ["unshare", "--mount", ROOT / "bench/compare/relay.sh", name, directory, RELAY_PORT, next_hop]
        if trace:
            command = gauges.count_syncs(trace, programs_change_user=name == "exim") + command
        with self.log.open("wb") as out:
            self.child = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT,
                                          stdin=subprocess.DEVNULL, preexec_fn=self.group.enter)
        if not wait_until(lambda: port_open(RELAY_PORT), 30):
            self.stop()
            fail(f"{name} did not start: {self.log.read_text(errors='replace')[-400:]}")

    def stop(self):
        self.group.end()
        self.child.wait()
        # The next relay gets the same port.
        wait_until(lambda: not port_open(RELAY_PORT), 5)


def latencies(accepted, arrived):
    accepted, arrived = stamps(accepted), stamps(arrived)
    took = sorted((arrived[i] - accepted[i]) / 1000 for i in accepted if i in arrived)
    return {name: took[min(len(took) - 1, int(len(took) * share))] for name, share in (("p50", .5), ("p99", .99), ("p99_9", .999))}


def send(options, relay, sink, directory, messages, size, connections, rate=None):
    """Messages through the relay, until all have arrived or nothing came for `patience` seconds."""
    accepted_ids = directory / "accepted"
    start = sink.taken()
    command = [BIN / "penstock-load", "--to", f"127.0.0.1:{RELAY_PORT}", "--messages", messages, "--connections", connections,
               "--size", size, "--domains", options.domains, "--json"]
    if sink.ids:
        accepted_ids.unlink(missing_ok=True)
        sink.ids.write_text("")
        command += ["--ids", accepted_ids, "--id-times"]
    if relay.name in ONE_AT_A_TIME:
        command.append("--no-pipelining")
    if rate:
        command += ["--rate", rate]
    cpu, sink_cpu, machine = relay.group.cpu_seconds(), sink.cpu_seconds(), gauges.machine_seconds()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = gauges.MemoryPeak(relay.group)
    began = moved = time.monotonic()
    last = 0
    load = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    try:
        # The receiver writes its count every few milliseconds; this looks as often as can be without being in the way.
        while load.poll() is None or time.monotonic() - moved < options.patience:
            if (now_taken := sink.taken() - start) != last:
                last, moved = now_taken, time.monotonic()
            if last >= messages:
                break
            time.sleep(0.02)
        output = load.communicate()[0]
    finally:
        load.kill()
    result = json.loads(output) if output.startswith("{") else fail(f"penstock-load: {output}")
    if last == 0:
        fail(f"{relay.name} delivered nothing: {relay.log.read_text(errors='replace')[-400:]}")
    time.sleep(1)  # what a relay does behind the last message is its cost too
    passed = time.monotonic() - began
    cpu = relay.group.cpu_seconds() - cpu
    after = resource.getrusage(resource.RUSAGE_CHILDREN)  # of ended children: the generator
    ours = cpu + sink.cpu_seconds() - sink_cpu + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    others = (gauges.machine_seconds() - machine - ours) / (passed * os.cpu_count())
    row = {"accepted": result["accepted"], "refused": result["refused"], "delivered": last, "accepted_per_s": result["rate"],
           "delivered_per_s": last / (moved - began), "cpu_s_per_1000": cpu / last * 1000, "memory_mb": memory.stop(),
           "reply_ms": result["latency_ms"], "others": max(0, others)}
    if sink.ids:
        row["latency_ms"] = latencies(accepted_ids, sink.ids)
    return row


def one_run(options, name, size, scratch):
    """Full speed, then the same rate for all, then what the disk is told: each with a fresh queue."""
    row = {"relay": name, "size": size}
    count = options.messages or max(300, MESSAGES[name] // (5 if size > 50_000 else 1))
    for what in ("full", "steady", "disk"):
        if what == "disk" and options.no_disk:
            continue
        directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}.", dir=scratch))
        directory.chmod(0o755)
        home, disk, relay = directory / "home", None, None
        sink = Sink(directory, with_ids=what == "steady")
        try:
            if what == "disk":
                disk = gauges.Disk(home)
            else:
                home.mkdir()
            trace = directory / "syncs" if what == "disk" else None
            relay = Relay(name, home, trace=trace)
            send(options, relay, sink, directory, 200, size, 20)  # what is done once is not measured
            if what == "full":
                row["full"] = send(options, relay, sink, directory, count, size, options.connections)
            elif what == "steady":
                row["steady"] = send(options, relay, sink, directory, int(options.rate * options.seconds), size, 20,
                                     options.rate)
            else:
                syncs, (flushes, written) = gauges.syncs(trace), disk.written()
                sent = send(options, relay, sink, directory, max(300, count // 4), size, options.connections)
                after, delivered = disk.written(), sent["delivered"]
                row["disk"] = {"syncs_per_message": (gauges.syncs(trace) - syncs) / delivered,
                               "flushes_per_message": (after[0] - flushes) / delivered,
                               "bytes_per_message": (after[1] - written) / delivered}
        except gauges.NoDisk as error:
            options.no_disk = True
            print(f"run.sh: syncs and bytes are not counted: {error}", file=sys.stderr)
        finally:
            if relay:
                relay.stop()
            sink.stop()
            if disk:
                disk.close()
            shutil.rmtree(directory, ignore_errors=True)
    return row


def compare(options):
    results = ROOT / "build/bench"
    results.mkdir(parents=True, exist_ok=True)
    for port in (SINK_PORT, RELAY_PORT):
        if port_open(port):
            fail(f"port {port} is in use")
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="penstock-compare.", dir=options.directory))
    scratch.chmod(0o755)
    rows = []
    try:
        with (results / "compare.jsonl").open("w") as out:
            for size in options.sizes:
                for run in range(1, options.runs + 1):
                    for name in options.relays:
                        row = dict(one_run(options, name, size, scratch), run=run)
                        rows.append(row)
                        out.write(json.dumps(row) + "\n")
                        out.flush()
                        print(tables.progress(row), flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = tables.speed(rows, options)
    (results / "compare.md").write_text(text)
    (results / "compare.svg").write_text(tables.plot(rows, options))
    print("\n" + text)
    if options.update_docs:
        tables.into_docs(ROOT / "docs/performance.md", "compare", text)
        shutil.copy(results / "compare.svg", ROOT / "docs/compare.svg")


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=(ROOT / "bench/compare/run.sh").read_text().split("\n")[1][2:])
    parser.add_argument("--scenarios", action="store_true", help="count broken limits instead of speed")
    parser.add_argument("--runs", type=int, default=3, help="how often each relay has its turn (3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_240], help="bytes of a message (10240)")
    parser.add_argument("--connections", type=int, default=100, help="sessions at a time into the relay (100)")
    parser.add_argument("--domains", type=int, default=1000, help="recipient domains (1000)")
    parser.add_argument("--messages", type=int, default=0, help="of each full-speed run (by relay: about five seconds)")
    parser.add_argument("--rate", type=float, default=100, help="messages a second of the steady run (100)")
    parser.add_argument("--seconds", type=float, default=20, help="length of the steady run (20)")
    parser.add_argument("--patience", type=float, default=30, help="seconds without an arrival until a run is ended (30)")
    parser.add_argument("--directory", default=os.environ.get("BENCH_DIR", "/var/tmp"), help="on the disk to measure (/var/tmp)")
    parser.add_argument("--no-disk", action="store_true", help="do not count syncs and bytes")
    parser.add_argument("--update-docs", action="store_true", help="put table and plot into docs/")
    scenarios.add_options(parser)
    parser.add_argument("--relays", default="", help=argparse.SUPPRESS)  # by run.sh, from $RELAYS
    parser.add_argument("--left-out", action="append", default=[], help=argparse.SUPPRESS)
    parser.epilog = 'Which relays: RELAYS="penstock postfix" bench/compare/run.sh'
    options = parser.parse_args()
    options.relays = options.relays.split()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.scenarios:
        scenarios.compare(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
