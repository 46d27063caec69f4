"""Servers without manners (bench/scenarios/ill-mannered.toml): mail is delivered, once, and nobody bounces."""
import time

from receivers import Receivers, drained, load

MESSAGES = 660
IMPATIENT = """
greeting_timeout = "2s"
ehlo_timeout = "2s"
mail_timeout = "2s"
rcpt_timeout = "2s"
data_timeout = "2s"
dot_timeout = "2s"
"""


def ill_mannered_servers(lab):
    receivers = Receivers(lab, "ill-mannered")
    lab.write_config(defaults=f'port = {receivers.port}\nschedule = ["400 x 1s"]\n{IMPATIENT}',
                     tail='[backoff]\nfirst = "1s"\nmax = "1s"\n')
    lab.serve()
    load(lab, MESSAGES, receivers.domains())
    # What was deferred for silence waits a minute; the operator does not.
    for _ in range(30):
        if drained(lab):
            break
        time.sleep(2)
        lab.queue("retry", "--all")
    assert drained(lab), f"mail is left: {lab.queue('summary')}"
    refused = [event for kind in ("failed", "expired", "dropped") for event in lab.events(kind)]
    assert not refused, f"{len(refused)} bounced, such as {refused[0]}"
    assert len(lab.events("delivered")) == MESSAGES, len(lab.events("delivered"))
    summary = receivers.stop()
    played = 0
    for group in summary["groups"]:
        mine = [event for event in lab.events() if f".{group['name']}.test" in event.get("recipient", "")]
        delivered = [event for event in mine if event["event"] == "delivered"]
        doubts = [event for event in mine if event.get("uncertain")]
        # A reply that came too early, or one too many, leaves a doubt: then twice is better than never.
        assert len(delivered) <= group["messages"] <= len(delivered) + len(doubts), (group, len(delivered), len(doubts))
        assert not doubts or group["name"] in ("doubled", "early"), doubts[0]
        played += group["ill_mannered"]
    assert played > 50, f"only {played} times somebody misbehaved"
