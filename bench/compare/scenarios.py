"""Relays against receivers that have limits: how often does each break one?

Every relay gets an internet of its own: a network name space with nothing but loopback, in it a name server (knot) on port 53
with the zone of the scenario, the receivers (penstock-sink --scenario) on port 25, and the relay, which finds them by MX.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib

import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PENSTOCK_BIN", ROOT / "build/release/bin"))
KNOT = """server:
    rundir: "{0}/knot"
    listen: 127.0.0.1@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{0}/knot"
zone:
  - domain: test
    storage: "{0}"
    file: test.zone
    journal-content: none
    zonefile-load: whole
"""


def add_options(parser):
    group = parser.add_argument_group("with --scenarios")
    group.add_argument("--scenario", nargs="+", default=["throttling", "twenty-sites", "hostile"],
                       help="names in bench/scenarios (throttling twenty-sites hostile)")
    group.add_argument("--scenario-messages", type=int, default=3000, help="handed to each relay at once (3000)")
    group.add_argument("--scenario-seconds", type=int, default=180, help="how long each is watched (180)")
    group.add_argument("--with-rules", action="store_true",
                       help="Penstock runs once more, with a [[rule]] for each group that says the group's limits")


def on_port_25(text):
    """The scenario with its receivers on the port that relays expect."""
    head, bracket, groups = text.partition("[[")
    return re.sub(r"(?m)^port\s*=.*\n", "", head) + "port = 25\n" + bracket + groups


def rules(text):
    """What a postmaster would write who knows the limits. There is no rule on new connections in a window."""
    out = []
    for group in tomllib.loads(text)["group"]:
        name = group["name"]
        copies = [f'"*.{name}{digits}.test"' for digits in ("?", "??", "???")] if group.get("copies", 1) > 1 else []
        masks = ", ".join([f'"*.{name}.test"', *copies])
        out += ["[[rule]]", f'name = "{name}"', f"mx = [{masks}]"]
        out.append(f'scope = "{"path" if group.get("per") == "address" else "source"}"')
        out += [f"{key} = {group[key]}" for key in ("max_connections", "max_messages_per_connection", "max_recipients")
                if key in group]
        if "max_messages" in group:
            out.append(f'rate = "{group["max_messages"]}/{group.get("window", "1m")}"')
    return "\n".join(out) + "\n"


def inside(directory, relay, messages, seconds):
    """Runs in the name space. Prints the summary of the receivers as JSON."""
    from compare import RELAY_PORT, Relay, fail, port_open, wait_until
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # OpenSMTPD asks for addresses only when something but loopback has one: a pair of interfaces that leads nowhere.
    for words in ("link set lo up", "link add nowhere type veth peer name nowhere2", "addr add 192.0.2.2/24 dev nowhere",
                  "link set nowhere up", "link set nowhere2 up"):
        subprocess.run(["ip", *words.split()], check=True)
    directory = pathlib.Path(directory)
    (directory / "knot").mkdir()
    (directory / "knot.conf").write_text(KNOT.format(directory))
    scenario = directory / "scenario.toml"
    subprocess.run([BIN / "penstock-sink", "--scenario", scenario, "--zone", directory / "test.zone",
                    "--shares", directory / "shares"], check=True)
    with (directory / "knot.log").open("wb") as log:
        knot = subprocess.Popen(["/usr/sbin/knotd", "-c", directory / "knot.conf"], stdout=log, stderr=log)
    sink = subprocess.Popen([BIN / "penstock-sink", "--scenario", scenario, "--json"], stdout=subprocess.PIPE, text=True)
    peer = None
    try:
        if not wait_until(lambda: port_open(53), 15):
            fail(f"knot does not answer: {(directory / 'knot.log').read_text()[-300:]}")
        peer = Relay(relay, directory, next_hop="mx")
        began = time.monotonic()
        load = subprocess.run(
            [BIN / "penstock-load", "--to", f"127.0.0.1:{RELAY_PORT}", "--messages", str(messages), "--connections", "20",
             "--size", "2048", "--domain-list", directory / "shares", "--no-pipelining", "--json"],
            capture_output=True, text=True, check=False)
        time.sleep(max(0, seconds - (time.monotonic() - began)))
    finally:
        if peer:
            peer.stop()
        sink.terminate()
        summary = sink.communicate()[0]
        knot.terminate()
        knot.wait()
    if not load.stdout.startswith("{"):
        fail(f"penstock-load: {load.stderr}")
    print(json.dumps({"accepted": json.loads(load.stdout)["accepted"], "sink": json.loads(summary)}))


def begin(options, scenario, relay, with_rules, scratch):
    source = ROOT / "bench/scenarios" / f"{scenario}.toml"
    if not source.exists():
        names = ", ".join(sorted(path.stem for path in source.parent.glob("*.toml")))
        raise SystemExit(f"run.sh: there is no scenario {scenario} in bench/scenarios; there are {names}")
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{scenario}-{relay}.", dir=scratch))
    directory.chmod(0o755)
    text = source.read_text()
    (directory / "scenario.toml").write_text(on_port_25(text))
    command = ["unshare", "--net", "--mount", sys.executable, "-c",
               "import sys; sys.path.insert(0, sys.argv[1]); import scenarios; scenarios.inside(sys.argv[2], sys.argv[3], "
               "int(sys.argv[4]), int(sys.argv[5]))", str(ROOT / "bench/compare"), str(directory), relay,
               str(options.scenario_messages), str(options.scenario_seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ, EXTRA=rules(text) if with_rules else ""))


def table(rows, options):
    out = [f"{tables.conditions()}: {options.scenario_messages:,} messages handed over at once, each relay watched for "
           f"{options.scenario_seconds} s, relays as installed. `bench/compare/run.sh --scenarios`", "",
           "| scenario | relay | delivered | broken limits | of these | other refusals | tries a message |",
           "|---|---|---|---|---|---|---|"]
    for row in rows:
        sink = row["sink"]
        broken = {}
        for group in sink.get("groups", []):
            for limit, count in group["broken"].items():
                broken[limit] = broken.get(limit, 0) + count
        kinds = ", ".join(f"{limit.replace('_', ' ')} {count:,}" for limit, count in broken.items() if count)
        refused = sum(group["refused"] for group in sink.get("groups", []))
        total = sum(broken.values())
        tries = (sink["messages"] + refused) / max(1, row["accepted"])
        out.append(f"| {row['scenario']} | {row['label']} | {sink['messages']:,} | {total:,} | {kinds} | {refused - total:,} | "
                   f"{tries:.2f} |")
    return "\n".join(out) + "\n"


def compare(options):
    results = ROOT / "build/bench"
    results.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="penstock-scenarios.", dir=options.directory))
    scratch.chmod(0o755)
    relays = [(tables.NAMES[name], name, False) for name in options.relays]
    if options.with_rules:
        relays.append(("Penstock with rules", "penstock", True))
    rows, running = [], []
    try:
        for scenario in options.scenario:
            # The relays wait more than they work: all of a scenario run at the same time.
            running = [(label, begin(options, scenario, relay, with_rules, scratch))
                       for label, relay, with_rules in relays]
            for label, child in running:
                output = child.communicate()[0]
                if child.returncode != 0:
                    print(f"run.sh: {label} left out of {scenario}", file=sys.stderr)
                    continue
                rows.append(dict(json.loads(output), scenario=scenario, label=label))
                print(f"{scenario}, {label}: {rows[-1]['sink']['messages']} delivered", flush=True)
    finally:
        for _, child in running:
            child.terminate()
            child.wait()
        shutil.rmtree(scratch, ignore_errors=True)
    (results / "scenarios.json").write_text(json.dumps(rows, indent=1) + "\n")
    text = table(rows, options)
    (results / "scenarios.md").write_text(text)
    print("\n" + text)
    if options.update_docs:
        tables.into_docs(ROOT / "docs/performance.md", "scenarios", text)
