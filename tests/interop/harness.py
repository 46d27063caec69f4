"""The rig of the interop and crash tests: a real name server, a relay with a configuration of its own, receivers.

Everything listens on loopback, on ports the system chose, and lives in one directory under build/.
Every process is ended by its id; a test that fails leaves the directory with all logs.
"""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bin_dir():
    """Where the programs are: $PENSTOCK_BIN, or the release build."""
    return pathlib.Path(os.environ.get("PENSTOCK_BIN", ROOT / "build" / "release" / "bin"))


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"after {seconds} s: {what}")


def port_open(address, port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


class Process:
    """A child with its output in a file. The caller stops it, or kills it."""

    def __init__(self, name, command, directory, env=None, preexec=None, pass_fds=()):
        self.name = name
        self.log = pathlib.Path(directory) / f"{name}.log"
        with self.log.open("ab") as out:
            self.child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, env=env, preexec_fn=preexec, cwd=directory,
                                          pass_fds=pass_fds)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def kill(self):
        if self.alive():
            self.child.send_signal(signal.SIGKILL)
        return self.child.wait()

    def stop(self, seconds=40):
        if self.alive():
            self.child.terminate()
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {seconds} s of SIGTERM") from None

    def text(self):
        return self.log.read_text(errors="replace")


class Lab:
    """A directory, and the processes that live in it. Use as a context manager."""

    def __init__(self, name):
        self.dir = ROOT / "build" / "rig" / f"{name}-{os.getpid()}"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.processes = []
        self.dns_port = None
        self.port = free_port()
        self.config = self.dir / "penstock.toml"
        self.delivery_log = self.dir / "delivery.jsonl"
        self.relay = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for process in reversed(self.processes):
            process.kill()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"logs are in {self.dir}")

    def start(self, name, command, **options):
        process = Process(name, command, self.dir, **options)
        self.processes.append(process)
        return process

    def dns(self, records):
        """knot with the zone test.; `records` are lines of its zone file."""
        self.dns_zone("$ORIGIN test.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
                      + "\n".join(records) + "\n")

    def dns_zone(self, zone):
        """knot with this file as the zone test."""
        port = free_port()
        (self.dir / "test.zone").write_text(zone)
        run = self.dir / "knot"
        run.mkdir(exist_ok=True)
        (self.dir / "knot.conf").write_text(
            f'server:\n    rundir: "{run}"\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: 1\n'
            f"    background-workers: 1\nlog:\n  - target: stderr\n    any: warning\n"
            f'database:\n    storage: "{run}"\nzone:\n  - domain: test\n    storage: "{self.dir}"\n'
            f"    file: test.zone\n    journal-content: none\n    zonefile-load: whole\n")
        knot = self.start("knot", ["/usr/sbin/knotd", "-c", self.dir / "knot.conf"])
        wait_until(lambda: knot.alive() and port_open("127.0.0.1", port), 15, f"knot does not answer: {knot.log}")
        self.dns_port = port

    def write_config(self, head="", defaults="", listener="", spool="", tail=""):
        dns = f'[dns]\nservers = ["127.0.0.1:{self.dns_port}"]\nallow_private_targets = true\n' if self.dns_port else ""
        spool_path = "" if "path" in spool else f'path = "{self.dir}/spool"\n'
        reserve = "" if "reserve" in spool else 'reserve = "1MB"\n'
        self.config.write_text(
            f'hostname = "relay.sender.test"\n{head}\n[[listener]]\nname = "local"\naddress = "127.0.0.1:{self.port}"\n'
            f"{listener}\n[defaults]\n{defaults}\n{dns}[spool]\n{spool_path}{reserve}{spool}\n"
            f'[log]\npath = "{self.delivery_log}"\n[admin]\nsocket = "{self.dir}/admin.sock"\n{tail}\n')

    def serve(self, seconds=60, **options):
        """Starts the relay and waits for its 220."""
        self.relay = self.start("penstock", [bin_dir() / "penstock", "-c", self.config, "serve"], **options)

        def greeted():
            if not self.relay.alive():
                raise AssertionError("the relay ended: " + self.relay.text()[-2000:])
            try:
                with socket.create_connection(("127.0.0.1", self.port), 2) as probe:
                    return probe.recv(512).startswith(b"220")
            except OSError:
                return False

        wait_until(greeted, seconds, f"no greeting on port {self.port}: {self.relay.log}")
        return self.relay

    def queue(self, *words):
        sure = ["--yes"] if "--all" in words else []  # nobody is there to be asked
        command = [bin_dir() / "penstock", "-c", self.config, "queue", "--json", *words, *sure]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"queue {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def events(self, kind=None):
        if not self.delivery_log.exists():
            return []
        found = []
        for line in self.delivery_log.read_text(errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # torn by a kill; the next line stands on its own
            if kind is None or event["event"] == kind:
                found.append(event)
        return found

    def wait_events(self, kind, count, seconds=30):
        wait_until(lambda: len(self.events(kind)) >= count, seconds,
                   f"{count} x {kind} expected, have {[e['event'] for e in self.events()][-20:]}")
        return self.events(kind)

    def sink(self, name, *options, address="127.0.0.1"):
        """penstock-sink on a port of its own; returns (process, port, path of its ids)."""
        port = free_port(address)
        ids = self.dir / f"{name}.ids"
        process = self.start(name, [bin_dir() / "penstock-sink", "--listen", f"{address}:{port}", "--ids", ids,
                                    *options])
        wait_until(lambda: port_open(address, port), 10, f"{name} does not listen")
        return process, port, ids


def read_ids(path):
    """Counts of every id in a file of ids."""
    counts = {}
    if not pathlib.Path(path).exists():
        return counts
    with open(path, encoding="ascii", errors="replace") as lines:
        for line in lines:
            key = line.strip()
            counts[key] = counts.get(key, 0) + 1
    return counts
