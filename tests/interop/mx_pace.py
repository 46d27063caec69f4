"""How the relay keeps a pace: it slows down when a receiver asks for it, wakes when a limit frees, and sleeps until then."""
import pathlib
import re
import statistics
import time

from harness import wait_until
from mx_threshold import ask
from receivers import Receivers, broken, drained, group_of, load

def decisions_of(lab, action):
    return [event for event in lab.events("decision") if event["action"] == action]


def path_named(lab, domain):
    (path,) = ask(lab, "explain", domain)["paths"]
    return path


STRICT = '''name = "strict"
[[group]]
name = "strict"
wording = "google"
hosts = 2
domains = 3
max_connections = 3
max_messages = 60
window = "5s"
'''


def throttling(lab):
    """A receiver with limits that no rule knows: the path slows down, few tries are wasted, all mail arrives."""
    receivers = Receivers(lab, STRICT)
    lab.write_config(defaults=f'port = {receivers.port}\nschedule = ["100 x 2s"]\nvalidity = "1h"\n')
    lab.serve()
    began = time.monotonic()
    load(lab, 150, receivers.domains())
    wait_until(lambda: decisions_of(lab, "slow"), 10, "no event says that the path slows down")
    slow = decisions_of(lab, "slow")[0]
    assert slow["by"] == "replies" and slow["samples"], slow
    path = path_named(lab, "d1.strict.test")
    # Whichever lasts longer: the pause, or the wait after a connection that was one too many.
    waits = ("the receiver asked us to slow down", "refused", "waits after a failed connection")
    assert path["binds"].startswith(waits), path
    assert path["traffic"][0]["slowed_seconds"] > 0 and path["frees_seconds"] > 0, path
    wait_until(lambda: drained(lab), 100, f"the queue is not empty: {receivers.taken()} of 150 arrived")
    lasted = time.monotonic() - began
    window = path_named(lab, "d1.strict.test")["traffic"][0]["window"]
    summary = receivers.stop()
    group = group_of(summary, "strict")
    print(f"mx throttling: 150 messages in {lasted:.0f} s to a receiver of 60 in 5 s and 3 connections, {group['refused']} refused "
          f"{broken(summary)}, {len(decisions_of(lab, 'slow'))} pauses, window {window} at the end")
    assert group["messages"] == 150 and group["refused"] <= 25, group
    assert window < 5, f"the window is {window}: it began with 5"


OPEN = '''name = "open"
[[group]]
name = "rate"
hosts = 2
[[group]]
name = "hour"
[[group]]
name = "each"
hosts = 2
'''
# 20 a second each: by a rate over one connection, by an hourly quota, and 10 a second to each of two addresses.
OPEN_RULES = '''
[[rule]]
name = "rate"
mx = ["*.rate.test"]
max_connections = 1
rate = "20/1s"
[[rule]]
name = "hour"
mx = ["*.hour.test"]
max_connections = 2
messages_per_hour = 72000
smooth = true
[[rule]]
name = "each"
mx = ["*.each.test"]
scope = "path"
max_connections = 1
rate = "10/1s"
'''


def exact_wake(lab):
    """Between the instant when the limit frees and the message lie a few milliseconds."""
    # Of equal preference: a worse host gets nothing while the best one is well, though at its limit (RFC 5321 5.1).
    receivers = Receivers(lab, OPEN, zone_as=lambda zone: re.sub(r" MX \d+ ", " MX 10 ", zone))
    lab.write_config(defaults=f"port = {receivers.port}\n", tail=OPEN_RULES)
    lab.serve()
    for name in ("rate", "hour", "each"):
        load(lab, 120, f"d1.{name}.test", "--prefix", name)
    wait_until(lambda: drained(lab), 30, f"the queue is not empty: {receivers.taken()} of 360 arrived")
    receivers.stop()
    arrived = dict(line.split() for line in receivers.ids.read_text().splitlines())
    for name, step in (("rate", 50), ("hour", 50)):
        came = sorted(int(at) for key, at in arrived.items() if key.startswith(name + "-"))
        gaps = [(after - before) / 1000 - step for before, after in zip(came, came[1:])]
        print(f"mx wake, {name}: {len(came)} messages, gap beyond the {step} ms of the limit: median {statistics.median(gaps):.2f} ms, "
              f"95th percentile {sorted(gaps)[len(gaps) * 95 // 100]:.2f} ms, largest {max(gaps):.2f} ms, smallest {min(gaps):.2f} ms")
        assert statistics.median(gaps) < 5, gaps
    each = sorted(int(at) for key, at in arrived.items() if key.startswith("each-"))
    print(f"mx wake, each: {len(each)} messages to two addresses of 10 a second in {(each[-1] - each[0]) / 1e6:.2f} s")
    assert (each[-1] - each[0]) / 1e6 < 7.5, "the second address is not used to the full"


CROWD = 'name = "crowd"\n[[group]]\nname = "crowd"\ncopies = 1000\n'
CROWD_RULES = '[[rule]]\nname = "crowd"\nmx = ["*.test"]\nrate = "1/1h"\n'


def switches(pid):
    """How often the main thread, which runs the loop, and all threads together have gone to sleep so far."""
    counts = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        line = next(line for line in (task / "status").read_text().splitlines() if line.startswith("voluntary_ctxt_switches"))
        counts[int(task.name)] = int(line.split()[1])
    return counts[pid], sum(counts.values())


def asleep(lab):
    """A thousand queues that wait for their limits cost no wake-up."""
    receivers = Receivers(lab, CROWD)
    lab.write_config(defaults=f"port = {receivers.port}\n", tail=CROWD_RULES)
    lab.serve()
    load(lab, 2000, ",".join(receivers.shares))
    wait_until(lambda: receivers.taken() == 1000, 30, f"{receivers.taken()} of 1000 arrived")
    assert lab.queue("summary")["ready"] == 1000, lab.queue("summary")
    path = path_named(lab, "d1.crowd7.test")
    assert path["binds"] == "rate" and path["ready"] == 1 and 3000 < path["frees_seconds"] <= 3610, path
    time.sleep(8)  # idle connections end, the counters go to disk
    before = switches(lab.relay.pid)
    time.sleep(10)
    after = switches(lab.relay.pid)
    print(f"mx asleep: with 1,000 queues waiting the loop woke {after[0] - before[0]} times in 10 s, all threads {after[1] - before[1]} times")
    assert after[0] - before[0] <= 20, "the loop polls"
    assert receivers.taken() == 1000, "a limit was broken"
