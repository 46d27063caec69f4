#!/usr/bin/env python3
"""Mail that comes back, on real sockets: sent with a signed return path, accepted, bounced hours later.

  returns.py [name ...]      all cases, or those whose name begins with one of the words
"""
import json
import pathlib
import signal
import smtplib
import socket
import subprocess
import sys
import traceback
from email.message import EmailMessage

from aiosmtpd.controller import Controller

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Lab, bin_dir, free_port, wait_until  # noqa: E402

RETURN_DOMAIN = "return.sender.test"


class Receiver:
    """Takes all mail and keeps the envelopes and the messages."""

    def __init__(self):
        self.taken = []
        self.refuse = {}  # recipient: reply to RCPT
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK"

    @property
    def port(self):
        return self.controller.port

    def stop(self):
        self.controller.stop()


def set_up(lab, receiver, returns="", path=""):
    lab.dns([f"d{n} MX 10 mx\n" for n in range(1, 4)] + ["sender MX 10 mx", "mx A 127.0.0.1"])
    lab.bounce_port = free_port()
    keys = lab.dir / "return.keys"
    keys.write_text("1 " + "5c" * 32 + "\n")
    keys.chmod(0o600)
    lab.write_config(defaults=f"port = {receiver.port}\n", tail=f"""
[[listener]]
name = "returned"
address = "127.0.0.1:{lab.bounce_port}"
role = "bounce"
[returns]
keys = "{keys}"
path = "{lab.dir}/returns"
{returns}
[[return_path]]
domain = "{RETURN_DOMAIN}"
{path}
""")
    lab.serve()


def send(lab, *recipients):
    message = EmailMessage()
    message["From"] = "shop@sender.test"
    message["To"] = recipients[0]
    message["Subject"] = "your receipt"
    message.set_content("Thank you.")
    with smtplib.SMTP("127.0.0.1", lab.port) as client:
        client.send_message(message, "shop@sender.test", recipients)


def dsn(to, recipient, status="5.1.1", text="User unknown"):
    return (f"From: MAILER-DAEMON@mx.test\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
            f"Diagnostic-Code: smtp; 550 {status} {text}\r\n\r\n--b--\r\n").encode()


def complaint(header):
    return (b"From: fbl@provider.test\r\nTo: fbl@sender.test\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
            b"--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
            b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: x\r\n\r\n"
            b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + header + b"\r\n\r\n--b--\r\n")


def give_back(lab, to, mail):
    with smtplib.SMTP("127.0.0.1", lab.bounce_port) as client:
        client.sendmail("", [to], mail)


def folder(lab, name):
    return list((lab.dir / "returns" / name).glob("[!.]*"))


def bounce(lab, receiver):
    """A bounce finds its message and its recipient, by the token alone."""
    set_up(lab, receiver)
    send(lab, "ann@d1.test", "bob@d1.test")
    lab.wait_events("delivered", 2)
    paths = {recipients[0]: sender for sender, recipients, _ in receiver.taken}
    assert len(set(paths.values())) == 2, f"each recipient has a return path of its own: {paths}"
    assert all(path.endswith("@" + RETURN_DOMAIN) and len(path.split("@")[0]) <= 64 for path in paths.values()), paths
    give_back(lab, paths["ann@d1.test"].upper(), dsn(paths["ann@d1.test"], "ann@d1.test"))
    event = lab.wait_events("bounced", 1)[0]
    assert event["id"] == lab.events("accepted")[0]["id"], event
    assert (event["recipient"], event["confirmed"], event["type"]) == ("ann@d1.test", True, "hard"), event
    delivered = next(each for each in lab.events("delivered") if each["recipient"] == "ann@d1.test")
    assert delivered["reverse_path"], delivered
    assert all(event[key] == delivered[key] for key in ("reverse_path", "site", "source")), (event, delivered)
    wait_until(lambda: not folder(lab, "new"), 10, "the mail was read and still lies there")
    try:
        send(lab, "ann@d1.test")
        raise AssertionError("an address that bounced is still written to")
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients["ann@d1.test"][0] == 550, refused.recipients


def lie(lab, receiver):
    """A report about somebody else, a forged token, no token and no report: nobody is blamed and nothing is lost."""
    set_up(lab, receiver)
    send(lab, "ann@d1.test")
    lab.wait_events("delivered", 1)
    path = receiver.taken[0][0]
    give_back(lab, path, dsn(path, "victim@d2.test"))
    assert "confirmed" not in lab.wait_events("bounced", 1)[0]
    send(lab, "victim@d2.test")  # is not refused
    forged = path[:10] + ("b" if path[10] == "a" else "a") + path[11:]
    give_back(lab, forged, dsn(forged, "ann@d1.test"))
    give_back(lab, f"bounces@{RETURN_DOMAIN}", dsn(f"bounces@{RETURN_DOMAIN}", "ann@d1.test"))
    give_back(lab, path, b"From: ann@d1.test\r\nSubject: thanks\r\n\r\nWhere is my order?\r\n")
    events = lab.wait_events("unmatched", 3)
    assert {event["reply"] for event in events} == {
        "its token is not one of ours", "it brings no token of ours back", "it is no report"}, events
    wait_until(lambda: len(folder(lab, ".Unmatched/new")) == 3, 10, "what could not be matched is kept")
    assert all(pathlib.Path(event["file"]).exists() and "id" not in event for event in events), events


def complain(lab, receiver):
    """A complaint that brings nothing back but the header, with all addresses blacked out."""
    set_up(lab, receiver, 'header = "X-Penstock-Token"\nfeedback = ["fbl@sender.test"]')
    send(lab, "ann@d1.test")
    lab.wait_events("delivered", 1)
    header = receiver.taken[0][2].split(b"\r\n\r\n")[0].replace(b"ann@d1.test", b"redacted@d1.test")
    assert b"ann@" not in header, header
    give_back(lab, "fbl@sender.test", complaint(header))
    event = lab.wait_events("complained", 1)[0]
    assert (event["recipient"], event["confirmed"]) == ("ann@d1.test", True), event
    show = [bin_dir() / "penstock", "-c", lab.config, "quarantine", "show", "ann@d1.test"]
    wait_until(lambda: "denylisted" in subprocess.run(show, capture_output=True, text=True, timeout=30).stdout, 10,
               "who complained is not on the denylist")  # the ledger is written in batches


def domain(lab, receiver):
    """With verp = "domain" the recipients of a domain share one transaction."""
    set_up(lab, receiver, path='verp = "domain"')
    send(lab, "ann@d1.test", "bob@d1.test")
    lab.wait_events("delivered", 2)
    assert len(receiver.taken) == 1, receiver.taken
    path = receiver.taken[0][0]
    give_back(lab, path, dsn(path, "bob@d1.test"))
    assert lab.wait_events("bounced", 1)[0]["confirmed"]
    give_back(lab, path, dsn(path, "victim@d1.test"))
    assert "confirmed" not in lab.wait_events("bounced", 2)[1], "the message did not go to this address of the domain"


def kill(lab, receiver):
    """kill -9 right after each 250: every mail is read after the start."""
    set_up(lab, receiver)
    send(lab, "ann@d1.test")
    lab.wait_events("delivered", 1)
    path = receiver.taken[0][0]
    with smtplib.SMTP("127.0.0.1", lab.bounce_port) as client:
        for _ in range(50):
            client.sendmail("", [path], dsn(path, "ann@d1.test"))
        lab.relay.kill()
    assert folder(lab, "new") or len(lab.events("bounced")) == 50
    lab.serve()
    wait_until(lambda: not folder(lab, "new"), 20, "mail was not read after the start")
    assert len(lab.events("bounced")) >= 50, len(lab.events("bounced"))


def rotate(lab, receiver):
    """A new key signs after a reload, the old one still verifies, and without it its tokens are nobody's."""
    set_up(lab, receiver)
    keys = lab.dir / "return.keys"

    def reload_with(*lines):
        count = lab.relay.text().count("configuration read again")
        keys.write_text("\n".join(lines) + "\n")
        lab.relay.child.send_signal(signal.SIGHUP)
        wait_until(lambda: lab.relay.text().count("configuration read again") > count, 10, "no reload")

    send(lab, "ann@d1.test")
    lab.wait_events("delivered", 1)
    reload_with("2 " + "77" * 32, "1 " + "5c" * 32)
    send(lab, "bob@d1.test")
    lab.wait_events("delivered", 2)
    old, new = receiver.taken[0][0], receiver.taken[1][0]
    give_back(lab, old, dsn(old, "ann@d1.test"))
    give_back(lab, new, dsn(new, "bob@d1.test"))
    assert {(e["recipient"], e["confirmed"]) for e in lab.wait_events("bounced", 2)} == {("ann@d1.test", True), ("bob@d1.test", True)}
    reload_with("2 " + "77" * 32)
    give_back(lab, old, dsn(old, "ann@d1.test"))
    assert lab.wait_events("unmatched", 1)[0]["reply"] == "its token is not one of ours"


def doors(lab, receiver):
    """The listener relays for nobody, and `check` tells of keys that cannot be read."""
    set_up(lab, receiver)
    with socket.create_connection(("127.0.0.1", lab.bounce_port), 5) as client:
        lines = client.makefile("rb")
        lines.readline()
        for command, answer in (("EHLO x", None), ("MAIL FROM:<>", b"250"), ("RCPT TO:<ann@d1.test>", b"550 5.7.1")):
            client.sendall(command.encode() + b"\r\n")
            line = lines.readline()
            while line[3:4] == b"-":
                line = lines.readline()
            assert answer is None or line.startswith(answer), line
    (lab.dir / "return.keys").write_text("1 short\n")
    done = subprocess.run([bin_dir() / "penstock", "-c", lab.config, "check"], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "return.keys:1" in done.stderr, done


def own_report(lab, receiver):
    """Our own report goes to the original reverse-path, is 7-bit, and parse-bounce reads it without loss."""
    refusals = {"ann@d1.test": (550, "5.1.1", "<ann@d1.test>: no such user here"),
                "odd@d1.test": (550, "5.1.1", "user unknown, 100% sure; =3D \"quoted\" <x@y.test>"),
                "wide@d1.test": (550, "5.1.1", "user unknown " + "because of a very long reason " * 12 + "end")}
    receiver.refuse = {to: f"{code} {status} {text}" for to, (code, status, text) in refusals.items()}
    set_up(lab, receiver)
    with smtplib.SMTP("127.0.0.1", lab.port) as client:
        client.ehlo()
        client.mail("shop@sender.test", ["ENVID=order+2B17", "RET=HDRS", "BODY=8BITMIME"])
        for to in refusals:
            client.rcpt(to, ["NOTIFY=FAILURE", f"ORCPT=rfc822;alias-{to}"])
        code, text = client.data("From: shop@sender.test\r\nMessage-ID: <receipt-17@sender.test>\r\nSubject: caf\u00e9\r\n\r\n"
                                 "Thank you.\r\n".encode())
        assert code == 250, text
    wait_until(lambda: {to for _, to_all, _ in receiver.taken for to in to_all} == {"shop@sender.test"}, 30, "no report came")
    failed = {event["recipient"]: event for event in lab.wait_events("failed", 3)}
    said = {}
    for sender, _, content in receiver.taken:
        assert sender in ("", "<>"), f"a report has a null reverse-path: {sender}"
        assert max(content.split(b"message/rfc822-headers")[0].split(b"text/rfc822-headers")[0]) < 128, "a report is 7-bit"
        done = subprocess.run([bin_dir() / "penstock", "parse-bounce", "-"], input=content, capture_output=True, timeout=30, check=True)
        for line in done.stdout.decode().splitlines():
            told = json.loads(line)
            said[told["recipient"]] = told
    assert set(said) == set(refusals), said
    for to, (code, status, text) in refusals.items():
        told = said[to]
        assert (told["kind"], told["action"], told["code"], told["status"]) == ("dsn", "failed", code, status), told
        assert told["original_recipient"] == "alias-" + to and told["envelope_id"] == "order+17", told
        assert told["message_id"].strip("<>") == "receipt-17@sender.test", told
        assert " ".join(text.split()) in " ".join(told["diagnostic"].split()), (text, told["diagnostic"])
        assert (told["type"].lower(), told["rule"]) == (failed[to]["type"], failed[to]["rule"]), (told, failed[to])


def without_token(lab, receiver):
    """Of mail without a token a report is matched with what was sent, and the log says whose it is all the way."""
    set_up(lab, receiver, 'feedback = ["shop@sender.test"]', 'verp = "off"')
    text = lab.config.read_text()
    lab.config.write_text(text.replace("[log]\n", '[log]\nheader_fields = ["X-Campaign"]\n'))
    lab.relay.stop()
    lab.serve()
    with smtplib.SMTP("127.0.0.1", lab.port) as client:
        client.ehlo()
        client.mail("shop@sender.test", ["ENVID=order+2B17"])
        for to in ("ann@d1.test", "bob@d2.test"):
            client.rcpt(to)
        code, answer = client.data(b"From: shop@sender.test\r\nMessage-ID: <receipt-17@sender.test>\r\nX-Campaign: spring\r\n sale\r\n"
                                   b"\r\nThank you.\r\n")
        assert code == 250, answer
    lab.wait_events("delivered", 2)
    give_back(lab, "shop@sender.test", dsn("shop@sender.test", "victim@d2.test"))
    lab.wait_events("unmatched", 1)
    give_back(lab, "shop@sender.test", dsn("shop@sender.test", "Ann@d1.test"))
    event = lab.wait_events("bounced", 1)[0]
    assert (event["recipient"], event["matched"]) == ("ann@d1.test", "recipient") and "confirmed" not in event, event
    back = dsn("shop@sender.test", "bob@d2.test").replace(
        b"--b--", b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <receipt-17@sender.test>\r\n\r\n--b--")
    give_back(lab, "shop@sender.test", back)
    event = lab.wait_events("bounced", 2)[1]
    assert (event["recipient"], event["confirmed"], event["matched"]) == ("bob@d2.test", True, "message-id"), event
    for event in lab.events("accepted") + lab.events("delivered") + lab.events("bounced"):
        assert event["id"] == lab.events("accepted")[0]["id"], event
        assert event["message_id"] == "receipt-17@sender.test" and event["envid"] == "order+17", event
        assert event["header"] == {"X-Campaign": "spring sale"} and event["reverse_path"] == "shop@sender.test", event
    wait_until(lambda: not folder(lab, "new"), 10, "the mail was read and still lies there")
    for to in ("victim@d2.test", "ann@d1.test"):
        send(lab, to)  # is not refused: anybody can write a report that names an address
    try:
        send(lab, "bob@d2.test")
        raise AssertionError("an address that bounced is still written to")
    except smtplib.SMTPRecipientsRefused:
        pass


def late(lab, receiver):
    """Who asks with NOTIFY=DELAY is told once that his mail is late, over a kill too, and parse-bounce reads it without loss."""
    receiver.refuse = {"ann@d1.test": "452 4.2.2 mailbox full"}
    set_up(lab, receiver)
    text = lab.config.read_text()
    lab.config.write_text(text.replace("[defaults]\n", '[defaults]\ndelay_report_after = "2s"\n'))
    lab.relay.stop()
    lab.serve()
    with smtplib.SMTP("127.0.0.1", lab.port) as client:
        client.ehlo()
        for number, notify in enumerate(("DELAY,FAILURE", "FAILURE", "NEVER")):
            client.mail("shop@sender.test", [f"ENVID=order{number}"])
            client.rcpt("ann@d1.test", ["NOTIFY=" + notify, "ORCPT=rfc822;alias@d1.test"])
            code, answer = client.data(b"From: shop@sender.test\r\nMessage-ID: <receipt@sender.test>\r\n\r\nThank you.\r\n")
            assert code == 250, answer
    event = lab.wait_events("report_sent", 1)[0]
    wait_until(lambda: receiver.taken, 20, "no report came")
    lab.relay.kill()
    lab.serve()
    lab.queue("summary")
    sender, to, content = receiver.taken[0]
    assert sender in ("", "<>") and to == ["shop@sender.test"], (sender, to)
    assert b"Auto-Submitted: auto-replied" in content and b"Will-Retry-Until: " in content, content
    done = subprocess.run([bin_dir() / "penstock", "parse-bounce", "-"], input=content, capture_output=True, timeout=30, check=True)
    told = json.loads(done.stdout)
    assert (told["kind"], told["action"], told["status"], told["code"]) == ("delayed", "delayed", "4.2.2", 452), told
    assert (told["recipient"], told["original_recipient"], told["envelope_id"]) == ("ann@d1.test", "alias@d1.test", "order0"), told
    send(lab, "bob@d1.test")  # a moment later
    lab.wait_events("delivered", 2)
    assert len(lab.events("report_sent")) == 1 and event["related"] == lab.events("accepted")[0]["id"], lab.events("report_sent")


CASES = [own_report, bounce, lie, complain, domain, kill, rotate, doors, without_token, late]


def run_cases(suite, cases, left_out=lambda case: None):
    """Those that the command line names, or all; `left_out` says why one cannot run here. The exit status."""
    wanted = sys.argv[1:]
    passed = failed = 0
    for case in (case for case in cases if not wanted or case.__name__.startswith(tuple(wanted))):
        if why := left_out(case):
            print(f"interop {suite} {case.__name__}: left out: {why}")
            continue
        receiver = Receiver()
        try:
            with Lab(f"{suite}-{case.__name__}") as lab:
                case(lab, receiver)
            print(f"interop {suite} {case.__name__}: ok", flush=True)
            passed += 1
        except Exception:  # one broken case must not hide the others
            traceback.print_exc()
            print(f"interop {suite} {case.__name__}: FAILED", flush=True)
            failed += 1
        finally:
            receiver.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_cases("returns", CASES))
