"""A destination that turns against the sender: the block, the probes, the ramp and the orders of an operator."""
import json
import smtplib
import subprocess
import time
from datetime import datetime

from harness import bin_dir, wait_until
from receivers import Receivers, load

BLOCK = 6  # seconds; the second one lasts twice as long
TURNS = '''name = "turns"
[[group]]
name = "turns"
domains = 2
hosts = 2
[[group.fault]]
at = "rcpt"
after = "3s"
until = "13s"
share = 0.95
reply = "550 5.7.1 [{source}] Our system has detected that this message is likely unsolicited mail"
[[group]]
name = "friendly"
'''
RULE = f'''
[[rule]]
name = "turns"
mx = ["*.turns.test"]
[[rule.threshold]]
error_rate = "90%"
min_messages = 100
window = "1m"
block = "{BLOCK}s"
probes = 3
[[stream]]
name = "mailing"
senders = ["mailing.test"]
sources = "1"
'''


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ask(lab, *words, ok=0):
    """A command with --json; what it says."""
    done = subprocess.run([str(word) for word in (bin_dir() / "penstock", "-c", lab.config, *words, "--json")], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == ok, f"{words}: status {done.returncode}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def text_of(lab, *words):
    return subprocess.run([str(word) for word in (bin_dir() / "penstock", "-c", lab.config, *words)], capture_output=True, text=True,
                          timeout=60, check=True).stdout


def path_of(lab):
    """The one path, as explain, show and status tell it; all three must agree on its state."""
    told = ask(lab, "explain", "someone@d1.turns.test")
    assert told["problem"] == "" and [host["name"] for host in told["route"]["hosts"]] == ["mx1.turns.test", "mx2.turns.test"], told
    (path,) = told["paths"]
    (shown,) = ask(lab, "mx", "show", "--rule", "turns")["paths"]
    assert (shown["site"], shown["rule"]) == (path["site"], "turns"), shown
    assert path["rule_where"].startswith(str(lab.config)), path["rule_where"]
    return path


def decisions(lab, action):
    return [event for event in lab.events("decision") if event["action"] == action and "turns" in event["site"]]


def wait_state(lab, state, patience):
    return wait_until(lambda: (lambda path: path if path["state"] == state else None)(path_of(lab)), patience,
                      f"the path does not become {state}: {lab.events('decision')[-3:]}")


def tries(lab, begin, end):
    """Replies that a message to the site got between two times."""
    return [event for kind in ("delivered", "failed", "deferred") for event in lab.events(kind)
            if event.get("reply_code") and "turns" in event["site"] and begin < seconds(event["time"]) < end]


def check_block(lab, event, path):
    """The evidence of the block, in the log and in what explain tells."""
    assert (event["by"], event["rule"]) == ("threshold 1", "turns"), event
    assert event["messages"] >= 100 and 0.9 <= event["share"] <= 1 and 0 < event["errors"] <= event["messages"], event
    assert abs(event["share"] - event["errors"] / event["messages"]) < 0.001, event
    assert len(event["samples"]) == 3 and all("5.7.1" in sample for sample in event["samples"]), event
    assert abs(seconds(event["until"]) - seconds(event["time"]) - BLOCK) < 0.1, event
    assert path["binds"] == "blocked" and 0 < path["blocked_seconds"] <= BLOCK and 0 < path["frees_seconds"] <= BLOCK, path
    assert path["ready"] > 0 and path["in_flight"] == 0 and len(path["replies"]) == 3, path
    (told,) = [each for each in path["decisions"] if each["action"] == "block"]
    assert (told["messages"], told["errors"], told["samples"]) == (event["messages"], event["errors"], event["samples"]), told
    sample = path["thresholds"][0]  # the one that blocked
    assert sample["min_messages"] == 100 and sample["tripped"] and sample["errors"] >= 0.9 * sample["messages"] > 0, sample
    counts = ask(lab, "mx", "status")["limiter"]
    assert counts["blocked"] == 1 and counts["blocked_deliveries"] > 0, counts
    for words in (("explain", "d1.turns.test"), ("mx", "status"), ("mx", "show", "d1.turns.test")):
        assert "blocked" in text_of(lab, *words), words


def threshold(lab):
    receivers = Receivers(lab, TURNS)
    began = time.time()
    lab.write_config(defaults=f"port = {receivers.port}\n", tail=RULE)
    lab.serve()
    load(lab, 10, receivers.domains("turns"), "--prefix", "good")
    lab.wait_events("delivered", 10)
    assert path_of(lab)["state"] == "open"
    time.sleep(max(0, began + 3.2 - time.time()))
    load(lab, 700, receivers.domains("turns"), "--prefix", "bad", "--rate", 400)

    path = wait_state(lab, "blocked", 10)
    (block,) = decisions(lab, "block")
    check_block(lab, block, path)
    lab.relay.kill()
    lab.serve()
    again = path_of(lab)
    assert again["state"] == "blocked" and 0 < again["blocked_seconds"] < path["blocked_seconds"], again
    load(lab, 3, "d1.friendly.test", "--prefix", "friend")
    wait_until(lambda: any("friendly" in event["recipient"] for event in lab.events("delivered")), 5, "another site has to wait too")

    # The site still refuses: the probes fail, and the next block is twice as long.
    second = wait_until(lambda: decisions(lab, "block")[1:], BLOCK + 4, "the failing probes do not block again")[0]
    begin, end = seconds(block["time"]), seconds(block["until"])
    assert not tries(lab, begin + 0.2, end - 0.02), "the site got mail while it was blocked"
    probes = tries(lab, end - 0.02, seconds(second["time"]) + 0.5)
    assert 1 <= len(probes) <= 3, f"{len(probes)} probes"
    assert second["by"] == "probes", second
    assert abs(seconds(second["until"]) - seconds(second["time"]) - 2 * BLOCK) < 0.1, second

    # By then it has recovered: the probes pass, and the flow rises slowly.
    path = wait_state(lab, "ramp", 2 * BLOCK + 4)
    assert path["binds"] in ("", "the ramp after a block"), path
    time.sleep(1.5)
    ramp = decisions(lab, "ramp")[0]
    flow = tries(lab, seconds(second["until"]) - 0.02, time.time())
    waiting = path_of(lab)
    assert not tries(lab, seconds(second["time"]) + 0.2, seconds(second["until"]) - 0.02), "mail in the second block"
    assert waiting["binds"] == "the ramp after a block" and waiting["ready"] > 100 and len(flow) <= 40, (waiting, len(flow))
    print(f"mx threshold: block after {block['errors']} of {block['messages']} ({block['share']:.1%}), {len(probes)} bad probe(s), "
          f"{len(flow)} messages in the first seconds of the ramp; first probe "
          f"{1000 * (seconds(probes[0]['time']) - end):.0f} ms after the block ({ramp['text']})")
    orders(lab)
    order_on_a_stream(lab, "d1.friendly.test")


def orders(lab):
    """The operator blocks, unblocks and resets; --json says what was done. His order stands beside the ramp, which is there before and
    after it, until he ends that too."""
    done = ask(lab, "mx", "block", "d1.turns.test", "--for", "1h", "--why", "a test")
    assert done["paths"] == 1 and "turns" in done["names"][0], done
    path = path_of(lab)
    assert path["state"] == "blocked" and 3590 < path["blocked_seconds"] <= 3600, path
    order = decisions(lab, "block")[-1]
    assert order["by"].startswith("operator") and "a test" in order["text"], order
    time.sleep(0.3)  # the order is written at once, not with the next counters
    lab.relay.kill()
    lab.serve()
    assert path_of(lab)["state"] == "blocked", "the operator's block did not outlive the crash"
    delivered, began = len(lab.events("delivered")), time.monotonic()
    assert ask(lab, "mx", "unblock", "--site", "mx1.turns.test")["paths"] == 1
    wait_until(lambda: decisions(lab, "unblock"), 5, "the decision to lift the order is not told")
    assert decisions(lab, "unblock")[-1]["by"].startswith("operator")
    assert path_of(lab)["state"] == "ramp", path_of(lab)
    assert ask(lab, "mx", "unblock", "--automatic", "--site", "mx1.turns.test")["paths"] == 1
    lab.wait_events("delivered", delivered + 1, 5)
    first = time.monotonic() - began
    wait_until(lambda: path_of(lab)["ready"] == 0, 10, "the mail does not go after unblock")
    assert path_of(lab)["state"] == "open"
    print(f"mx threshold: mail goes {1000 * first:.0f} ms after unblock, all of it after {time.monotonic() - began:.1f} s")
    ask(lab, "mx", "reset", "--rule", "turns")
    wait_until(lambda: decisions(lab, "reset"), 5, "the decision to reset is not told")
    assert decisions(lab, "reset")[-1]["by"].startswith("operator")


def order_on_a_stream(lab, domain):
    """Mail of the stream rests, before and after a crash, while other mail goes the same way; all that people look at names the order."""
    def send(sender):
        with smtplib.SMTP("127.0.0.1", lab.port, timeout=10) as client:
            client.sendmail(sender, [f"someone@{domain}"], "Subject: x\r\n\r\nx\r\n")

    def delivered(sender):
        return sum(event["reverse_path"] == sender for event in lab.events("delivered"))

    done = ask(lab, "mx", "block", "--stream", "mail*", "--why", "wrong prices")
    assert done["streams"] == ["mailing"] and done["also_later"], done
    send("a@mailing.test")
    send("a@other.test")
    wait_until(lambda: delivered("a@other.test") == 1, 10, "mail of no stream does not go")
    assert ask(lab, "mx", "block", "--stream", "mailing", "--for", "1h", "--dry-run")["messages"] == 1
    told = " ".join(text_of(lab, "explain", domain, "--stream", "mailing").split())
    assert told.startswith(f"Mail to {domain} waits, by an order: block stream mailing until it is lifted: wrong prices (by "), told
    told = " ".join(text_of(lab, "explain", domain).split())
    assert told.startswith(f"Mail to {domain} waits: blocked by an operator, as all mail of stream mailing."), told
    listed = text_of(lab, "queue", "list", "--stream", "mailing")
    assert "on hold to " in listed and "as all mail of stream mailing" in " ".join(listed.split()), listed
    (row,) = ask(lab, "queue", "summary", "--by", "stream")["groups"]
    assert (row["name"], row["on_hold"]) == ("mailing", 1), row
    assert "order     block stream mail* until it is lifted: wrong prices" in text_of(lab, "mx", "status")
    event = [event for event in lab.events("decision") if event.get("stream") == "mail*"][-1]
    assert event["by"].startswith("operator") and "wrong prices" in event["text"], event
    lab.relay.kill()
    lab.serve()
    send("a@other.test")
    wait_until(lambda: delivered("a@other.test") == 2, 10, "mail of no stream does not go after a crash")
    assert delivered("a@mailing.test") == 0
    began = time.monotonic()
    assert ask(lab, "mx", "unblock", "--stream", "mail*")["lifted"]
    wait_until(lambda: delivered("a@mailing.test") == 1, 5, "the mail of the stream does not go when the order is lifted")
    print(f"mx threshold: mail of a stream goes {1000 * (time.monotonic() - began):.0f} ms after its order is lifted")
