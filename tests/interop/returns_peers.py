#!/usr/bin/env python3
"""Round trips with real mail servers: Postfix, Exim and OpenSMTPD accept a message, are refused by the server behind
them, and send their own report to the signed return path. The address is in quarantine then, and the log says why.

  returns_peers.py [name ...]      all servers, or those whose name begins with one of the words
"""
import os
import pathlib
import shutil
import smtplib
import subprocess
import sys
import tempfile
import traceback

from aiosmtpd.controller import Controller

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import ROOT, Lab, bin_dir, free_port, port_open, wait_until  # noqa: E402
from returns import RETURN_DOMAIN, send, set_up  # noqa: E402

REFUSALS = {"ann": "550 5.1.1 <ann@d1.test>: Recipient address rejected: User unknown in virtual mailbox table",
            "full": "552 5.2.2 <full@d1.test>: mailbox is over quota"}


class Behind:
    """What stands behind the server: refuses some, and hands mail for the return path to our listener as it is."""

    def __init__(self):
        self.bounce_port = None
        self.reports, self.kept = [], []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name in REFUSALS and not address.endswith(RETURN_DOMAIN):
            return REFUSALS[name]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if not envelope.rcpt_tos[0].endswith(RETURN_DOMAIN):
            self.kept.append(envelope.rcpt_tos)
            return "250 OK"
        self.reports.append(envelope.content)
        with smtplib.SMTP("127.0.0.1", self.bounce_port) as client:
            client.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        return "250 OK"

    def stop(self):
        self.controller.stop()


class At:
    """Where the relay finds the server."""

    def __init__(self, port):
        self.port = port


def quarantined(lab, address):
    show = [bin_dir() / "penstock", "-c", lab.config, "quarantine", "show", address]
    return subprocess.run(show, capture_output=True, text=True, timeout=30).stdout


def round_trip(name):
    def case(lab):
        fetched = subprocess.run(["bash", "-c", f". scripts/common.sh; . scripts/peers.sh; fetch_{name}"], cwd=ROOT, check=False)
        assert fetched.returncode == 0, f"{name} could not be fetched"
        behind = Behind()
        # Its processes are not root: they must be able to enter the directory.
        place = pathlib.Path(tempfile.mkdtemp(prefix=f"penstock-{name}-", dir="/var/tmp"))
        place.chmod(0o755)
        try:
            port = free_port()
            lab.start(name, ["unshare", "--mount", ROOT / "bench/compare/relay.sh", name, place, port,
                             f"127.0.0.1:{behind.controller.port}"], env=dict(os.environ, EXTRA=""))
            wait_until(lambda: port_open("127.0.0.1", port), 20, f"{name} does not listen")
            set_up(lab, At(port), 'header = "X-Penstock-Token"\n')
            behind.bounce_port = lab.bounce_port
            send(lab, "ann@d1.test", "full@d1.test", "good@d1.test")
            lab.wait_events("delivered", 3)
            events = {event["recipient"]: event for event in lab.wait_events("bounced", 2, 60)}
            accepted = lab.events("accepted")[0]["id"]
            assert all(event["confirmed"] and event["id"] == accepted for event in events.values()), events
            unknown, full = events["ann@d1.test"], events["full@d1.test"]
            assert (unknown["type"], unknown["enhanced_status"]) == ("hard", "5.1.1"), unknown
            assert "User unknown" in unknown["reply"] and unknown["rule"], unknown
            assert full["type"] == "soft" and "quota" in full["reply"], full
            wait_until(lambda: "quarantine" in quarantined(lab, "ann@d1.test").lower(), 10, "ann is not in quarantine")
            assert accepted in quarantined(lab, "ann@d1.test"), quarantined(lab, "ann@d1.test")
            wait_until(lambda: behind.kept, 20, "the third recipient's mail did not go through")
            assert not lab.events("unmatched") and len(behind.reports) == 2, lab.events("unmatched")
            try:
                send(lab, "ann@d1.test")
                raise AssertionError("an address that bounced is still written to")
            except smtplib.SMTPRecipientsRefused:
                pass
        finally:
            behind.stop()
            for process in lab.processes:
                if process.name == name:
                    process.stop()
            shutil.rmtree(place, ignore_errors=True)

    case.__name__ = name
    return case


CASES = [round_trip(name) for name in ("postfix", "exim", "opensmtpd")]


def main():
    if os.geteuid() != 0:
        print("interop returns_peers: left out: these servers can be started by root only")
        return 0
    failed = 0
    chosen = [case for case in CASES if not sys.argv[1:] or any(case.__name__.startswith(word) for word in sys.argv[1:])]
    for case in chosen:
        try:
            with Lab("peers-" + case.__name__) as lab:
                case(lab)
            print(f"interop returns_peers {case.__name__}: ok", flush=True)
        except Exception:  # one broken case must not hide the others
            traceback.print_exc()
            print(f"interop returns_peers {case.__name__}: FAILED", flush=True)
            failed += 1
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
