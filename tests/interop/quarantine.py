#!/usr/bin/env python3
"""The quarantine through the whole relay on sockets: receivers with the words of providers, and what becomes of addresses.

  quarantine.py [name ...]      all cases, or those whose name begins with one of the words
"""
import collections
import json
import pathlib
import smtplib
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Lab, bin_dir, free_port, wait_until  # noqa: E402
from receivers import Receivers  # noqa: E402

BACKOFF = '[backoff]\nfirst = "200ms"\nmax = "1s"\n'

# group: (place, reply, status that its addresses must end with, reason)
CAMPAIGN = {
    "postfix": ("rcpt", "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in local recipient table",
                "quarantine", "user-unknown"),
    "google": ("rcpt", "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the "
               "recipient's email address for typos or unnecessary spaces. {source} - gsmtp", "quarantine", "user-unknown"),
    "yahoo": ("rcpt", "554 5.7.9 delivery error: dd This user doesn't have a yahoo.test account ({recipient}) [0] - mta1",
              "quarantine", "user-unknown"),
    "full": ("rcpt", "452 4.2.2 The recipient's inbox is out of storage space. - gsmtp", "with-errors", "mailbox-full"),
    "reputation": ("dot", "550 5.7.1 [{source}] Our system has detected that this message is likely unsolicited mail. To reduce "
                   "the amount of spam sent, this message has been blocked. - gsmtp", None, None),
    "blocked": ("connect", "554 5.7.1 Service unavailable; Client host [{source}] blocked using zen.spamhaus.org", None, None),
    "pace": ("rcpt", "421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
             None, None),
    "policy": ("dot", "550 5.7.26 This mail has been blocked because the sender is unauthenticated. DKIM = did not pass",
               None, None),
    "size": ("dot", "552 5.3.4 Message size exceeds fixed limit", None, None),
    "fine": (None, None, None, None),
}


def group(name, place=None, reply=None, after="", until=""):
    text = f'[[group]]\nname = "{name}"\ndomain_names = ["{name}.test"]\n'
    if place:
        text += f'[[group.fault]]\nat = "{place}"\n' + json_line("reply", reply)
        text += (f'after = "{after}"\n' if after else "") + (f'until = "{until}"\n' if until else "")
    return text


def json_line(key, text):
    return f"{key} = {json.dumps(text)}\n"


def start(lab, groups, tail="", every="1s"):
    receivers = Receivers(lab, 'name = "quarantine"\n' + "".join(groups))
    lab.write_config(defaults=f'port = {receivers.port}\nschedule = ["1000 x {every}"]\nvalidity = "1h"\njitter = 0\n', tail=BACKOFF + tail)
    lab.serve()
    return receivers


def ledger(lab, *words):
    """A command on the ledger with --json."""
    done = subprocess.run([str(word) for word in (bin_dir() / "penstock", "-c", lab.config, *words, "--json")], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: status {done.returncode}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


def text_of(lab, *words):
    return subprocess.run([str(word) for word in (bin_dir() / "penstock", "-c", lab.config, *words)], capture_output=True, text=True,
                          timeout=60, check=True).stdout


def status(lab, address):
    rows = ledger(lab, "quarantine", "show", address)["rows"]
    return (rows[0]["status"], rows[0]["reason"]) if rows else (None, None)


def waves(lab):
    return ledger(lab, "quarantine", "waves")["waves"]


def send(lab, addresses, port=None, header=""):
    """One message for each address over one connection; those that were refused at RCPT, with the reply."""
    refused = {}
    with smtplib.SMTP("127.0.0.1", port or lab.port, timeout=30) as client:
        for address in addresses:
            try:
                client.sendmail("news@sender.test", [address], f"Subject: news\r\n{header}\r\nhello {address}\r\n")
            except smtplib.SMTPRecipientsRefused as error:
                refused[address] = error.recipients[address]
    return refused


def rcpt(lab, address, port=None):
    with smtplib.SMTP("127.0.0.1", port or lab.port, timeout=30) as client:
        client.ehlo()
        client.mail("news@sender.test")
        code, text = client.rcpt(address)
        return code, text.decode()


# --- cases -------------------------------------------------------------------------------------------------------

def campaign(lab):
    """Each address ends in the right status, one command says why, and it gets no more mail."""
    reporting, logging = free_port(), free_port()
    tail = "".join(f'[[listener]]\nname = "{name}"\naddress = "127.0.0.1:{port}"\nquarantine = "{name}"\n'
                   for name, port in (("report", reporting), ("log", logging)))
    start(lab, [group(name, place, reply) for name, (place, reply, _, _) in CAMPAIGN.items()],
          tail + '[quarantine]\nbypass_header = "X-Mandated"\n')
    addresses = {name: [f"u{n}@{name}.test" for n in range(4)] for name in CAMPAIGN}
    assert not send(lab, [address for all_of in addresses.values() for address in all_of])
    bad = {name: wanted for name, (_, _, wanted, _) in CAMPAIGN.items() if wanted}
    for name in bad:
        for address in addresses[name]:
            wait_until(lambda: status(lab, address) == CAMPAIGN[name][2:], 20, f"{address} is {status(lab, address)}")
    for name in CAMPAIGN.keys() - bad.keys():
        for address in addresses[name]:
            assert status(lab, address) == (None, None), f"{address} is {status(lab, address)}: it is not its fault"
    shown = text_of(lab, "quarantine", "show", "u0@postfix.test")
    told = ledger(lab, "quarantine", "show", "u0@postfix.test")["rows"][0]
    failed = next(event for event in lab.events("failed") if event["recipient"] == "u0@postfix.test")
    assert told["message"] == failed["id"] and told["rule"] and "postfix.test" in told["site"], told
    for part in ("User unknown in local recipient table", told["rule"], told["message"], told["mx_host"], "user-unknown"):
        assert part in shown, f"{part} is not in {shown}"
    assert not waves(lab), "a mailing to an old list is no outage"

    wait_until(lambda: rcpt(lab, "u0@postfix.test")[0] == 550, 5, "the door does not know")
    code, text = rcpt(lab, "U0@POSTFIX.test")
    assert (code, text[:5]) == (550, "5.1.1") and "user-unknown" in text, text
    assert rcpt(lab, "u0@full.test")[0] == 250 and rcpt(lab, "new@postfix.test")[0] == 250
    assert [event["suppression"] for event in lab.wait_events("suppressed", 2)] == ["refused"] * len(lab.events("suppressed"))
    before = len(lab.events("report_sent"))
    assert not send(lab, ["u1@postfix.test"], logging) and not send(lab, ["u2@postfix.test"], reporting)
    wait_until(lambda: {event.get("suppression") for event in lab.events("failed")} >= {"logged", "reported"}, 10, "no end in the log")
    wait_until(lambda: len(lab.events("report_sent")) == before + 1, 10, "one report of the two is wanted")
    assert not send(lab, ["u3@google.test"], logging, "X-Mandated: yes\r\n")
    wait_until(lambda: sum(event["recipient"] == "u3@google.test" and "suppression" not in event for event in lab.events("failed")) == 2,
               10, "mandated mail does not reach the receiver")

    preview = text_of(lab, "quarantine", "release", "--site", "*.postfix.test", "--reason", "user-unknown", "--text", "local recipient")
    assert "4 addresses are meant" in preview and "nothing was changed" in preview, preview
    done = ledger(lab, "quarantine", "release", "--site", "*.postfix.test", "--text", "LOCAL RECIPIENT", "--yes")
    assert (done["changed"], done["left"]) == (4, 0), done
    wait_until(lambda: rcpt(lab, "u0@postfix.test")[0] == 250, 5, "the running relay does not follow a release")
    assert ledger(lab, "quarantine", "undo", done["batch"])["changed"] == 4
    wait_until(lambda: rcpt(lab, "u0@postfix.test")[0] == 550, 5, "the running relay does not follow an undo")
    report = ledger(lab, "report", "--by", "site", "--since", "1h")
    assert report["total"]["delivered"] >= 4 and report["total"]["failed"] >= 12 and report["total"]["quarantined"] >= 4, report
    assert "User unknown" in text_of(lab, "report", "--by", "day"), "the commonest texts are missing"


def killed(lab):
    """kill -9 three times in the middle: every Hard error that was logged is in the ledger, and once."""
    start(lab, [group("postfix", "rcpt", CAMPAIGN["postfix"][1]), group("fine")])
    everybody = [f"a{n}@postfix.test" for n in range(240)]
    for part in range(3):
        mine = everybody[part * 80:(part + 1) * 80]
        assert not send(lab, mine[:40])
        # Several recipients in a message: some are final before the others are.
        with smtplib.SMTP("127.0.0.1", lab.port, timeout=30) as client:
            for at in range(40, 80, 2):
                client.sendmail("news@sender.test", [mine[at], mine[at + 1], "ann@fine.test"], "Subject: x\r\n\r\nhello\r\n")
        wait_until(lambda: len(lab.events("failed")) > part * 80 + 20, 30, "nothing fails")
        lab.relay.kill()
        lab.serve()
    wait_until(lambda: lab.queue("summary")["messages"] == 0, 60, "the queue is not empty")
    logged = {event["recipient"] for event in lab.events("failed")}
    assert logged == set(everybody), f"{len(logged)} of {len(everybody)} are in the log"
    # A message stays in the spool until the ledger has what became of it; the ledger is written in batches.
    def barred_now():
        return ledger(lab, "quarantine", "list", "--limit", "10000")["addresses"]

    wait_until(lambda: {row["address"] for row in barred_now() if row["status"] == "quarantine"} == logged, 20,
               "an error that was logged is not in the ledger")
    barred = barred_now()
    changes = collections.Counter(line["address"] for line in ledger(lab, "quarantine", "history", "--limit", "10000")["history"])
    assert set(changes.values()) == {1}, f"applied twice: {[key for key, count in changes.items() if count > 1][:5]}"
    assert {row["errors"] for row in barred} == {1}, barred[:3]


def outage(lab):
    """A receiver that suddenly knows nobody: its addresses stay, its mail is kept, and an operator decides."""
    start(lab, [group("turns", "rcpt", CAMPAIGN["postfix"][1], after="14s", until="30s")], "[outage_guard]\nknown_addresses = 100000\n",
          every="8s")  # so that the site is not blocked for its share of refusals first
    began = time.monotonic()
    everybody = [f"b{n}@turns.test" for n in range(300)]
    assert not send(lab, everybody)
    wait_until(lambda: len(lab.events("delivered")) == 300, 12, "the mail of good days does not arrive")
    time.sleep(max(0, began + 15 - time.monotonic()))
    assert not send(lab, everybody)
    (wave,) = lab.wait_events("wave", 1)
    (shown,) = wait_until(lambda: waves(lab), 10, "the wave is not in the ledger")
    assert wave["wave"] == shown["wave"] and shown["state"] == "open" and "turns.test" in shown["site"], (wave, shown)
    assert len(lab.events("failed")) <= 30, f"{len(lab.events('failed'))} were believed"
    wait_until(lambda: ledger(lab, "quarantine", "list", "--status", "quarantine")["count"] == 0, 10, "addresses were blamed")
    wait_until(lambda: "held back by wave" in text_of(lab, "quarantine", "show", "b200@turns.test"), 10, "the hold is not shown")
    kept = 300 - len(lab.events("failed"))
    wait_until(lambda: sum(event["recipient"] in everybody for event in lab.events("delivered")) == 300 + kept, 60, "mail that was kept does not arrive after the outage")
    assert "do it with --yes" in text_of(lab, "quarantine", "waves", "--release", shown["wave"])
    text_of(lab, "quarantine", "waves", "--release", shown["wave"], "--yes")
    assert waves(lab)[0]["state"] == "released"
    assert ledger(lab, "quarantine", "list", "--status", "quarantine")["count"] == 0
    assert not send(lab, everybody[:5])


def damaged(lab):
    """A damaged ledger is set aside with a message, and mail goes on."""
    start(lab, [group("fine")])
    lab.relay.stop()
    path = lab.dir / "ledger" / "ledger.db"
    path.write_bytes(b"no database at all" * 1000)
    lab.serve()
    assert list(path.parent.glob("ledger.db.damaged-*")) and "kept as" in lab.relay.text()
    assert not send(lab, ["ann@fine.test"])
    lab.wait_events("delivered", 1)


CASES = [campaign, killed, outage, damaged]


def main():
    wanted = sys.argv[1:]
    failures, passed = [], 0
    for case in CASES:
        if wanted and not any(case.__name__.startswith(word) for word in wanted):
            continue
        began = time.monotonic()
        try:
            with Lab("quarantine-" + case.__name__) as lab:
                case(lab)
            passed += 1
            print(f"quarantine {case.__name__}: passed in {time.monotonic() - began:.1f} s", flush=True)
        except Exception:  # the next case is worth running
            traceback.print_exc()
            failures.append(case.__name__)
    print(f"quarantine: {passed} cases passed" if not failures else f"quarantine: failed: {', '.join(failures)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
