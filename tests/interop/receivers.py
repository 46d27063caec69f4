"""The receivers of a scenario (bench/scenarios) for a lab: a name server that knows them, penstock-sink that plays them."""
import json
import pathlib
import random
import re
import subprocess

from harness import ROOT, bin_dir, free_port, wait_until

SCENARIOS = ROOT / "bench" / "scenarios"
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def scaled_rules(text, scale):
    """The rates of a rules file for receivers whose windows are `scale` times shorter."""
    def shorter(match):
        events, number, unit = match.groups()
        return f'rate = "{events}/{round(float(number or 1) * SECONDS[unit] * 1000 / scale)}ms"'
    return re.sub(r'rate = "(\d+)/(\d*)(ms|s|m|h)"', shorter, text)


def broken(summary):
    """Broken limits of a summary, as "group limit": count."""
    return {f"{group['name']} {limit}": count for group in summary["groups"] for limit, count in group["broken"].items() if count}


def group_of(summary, name):
    return next(group for group in summary["groups"] if group["name"] == name)


class Receivers:
    """`scenario`: the text of a scenario, or the name of one in bench/scenarios. `zone_as` may change its zone."""

    def __init__(self, lab, scenario, scale=1, options=(), zone_as=str):
        self.lab, self.scale = lab, scale
        path = SCENARIOS / f"{scenario}.toml"
        text = path.read_text() if "\n" not in scenario else scenario
        self.port = free_port()
        self.file = lab.dir / "scenario.toml"
        self.file.write_text(f"port = {self.port}\n" + re.sub(r"(?m)^port *=.*\n", "", text))
        zone, shares = lab.dir / "scenario.zone", lab.dir / "shares"
        subprocess.run([bin_dir() / "penstock-sink", "--scenario", self.file, "--zone", zone, "--shares", shares], check=True)
        lab.dns_zone(zone_as(zone.read_text()))
        # Where the reports of the relay go: sender.test.
        self.home = lab.start("home", [bin_dir() / "penstock-sink", "--listen", f"127.0.0.1:{self.port}"])
        self.shares = {domain: float(share) for domain, share in map(str.split, shares.read_text().splitlines())}
        self.ids = lab.dir / "sink.ids"
        self.sink = lab.start("sink", [bin_dir() / "penstock-sink", "--scenario", self.file, "--time-scale", scale, "--ids", self.ids,
                                       "--id-times", "--report", lab.dir / "sink.json", "--count-file", lab.dir / "count", *options])
        for each in (self.home, self.sink):
            wait_until(lambda: "listening" in each.text(), 15, f"{each.name} does not listen: {each.log}")

    def rules(self, name):
        """The rules beside the scenario of this name, for the same time scale."""
        return scaled_rules((SCENARIOS / f"{name}.rules.toml").read_text(), self.scale)

    def domains(self, group=None):
        """Recipient domains in the shares of the scenario and a mixed order, always the same."""
        chosen = {domain: share for domain, share in self.shares.items() if group is None or f".{group}." in domain}
        domains = [domain for domain, share in chosen.items() for _ in range(max(1, round(share * 4000)))]
        random.Random(1).shuffle(domains)
        return ",".join(domains)

    def taken(self):
        return int((self.lab.dir / "count").read_text().split()[0])

    def stop(self):
        """Ends the receivers; their summary."""
        self.sink.stop()
        return json.loads(pathlib.Path(self.lab.dir / "sink.json").read_text())


def load(lab, messages, domains, *options):
    """Hands messages over; all must be taken."""
    done = subprocess.run([str(word) for word in (bin_dir() / "penstock-load", "--to", f"127.0.0.1:{lab.port}", "--messages", messages,
                                                  "--connections", 10, "--size", 2048, "--domains", domains, *options)],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"not all was accepted: {done.stdout[-800:]}{done.stderr[-300:]}"


def drained(lab):
    return lab.queue("summary")["messages"] == 0
