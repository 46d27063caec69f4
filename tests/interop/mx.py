#!/usr/bin/env python3
"""MX management on real sockets: receivers with limits, a relay with rules, and a count of what was broken.

  mx.py [name ...]      all cases, or those whose name begins with one of the words
"""
import concurrent.futures
import pathlib
import signal
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Lab, wait_until  # noqa: E402
from receivers import Receivers, broken, drained, load  # noqa: E402
from mx_pace import asleep, exact_wake, throttling  # noqa: E402
from mx_smart_hosts import smart_hosts  # noqa: E402
from mx_threshold import threshold  # noqa: E402

QUICK = 'schedule = ["100 x 1s", "1000 x 2s"]\nvalidity = "1h"\njitter = 0\n'
SOURCES = "".join(f'[[source]]\nname = "s{n}"\naddress = "127.0.0.{n}"\n' for n in (11, 12, 13))
BACKOFF = '[backoff]\nfirst = "200ms"\nmax = "1s"\n'


def run_scenario(lab, name, messages, scale, rules=True, sources="", middle=None, patience=90, watch=None, loads=()):
    """Hands over `messages`, waits until all have arrived, or `watch` seconds; the summary of the receivers.

    `loads`: more of them, each (messages, group, options of penstock-load).
    """
    total = messages + sum(count for count, _, _ in loads)
    receivers = Receivers(lab, name, scale)
    tail = sources + (receivers.rules(name) if rules else "")
    lab.write_config(defaults=f"port = {receivers.port}\n{QUICK}", tail=BACKOFF + tail)
    lab.serve()
    began = time.monotonic()
    load(lab, messages, receivers.domains())
    for number, (count, group, options) in enumerate(loads):
        load(lab, count, receivers.domains(group), "--prefix", f"more{number}", *options)
    if middle:
        middle(lab, receivers)
    if watch:
        time.sleep(max(0, began + watch - time.monotonic()))
    else:
        wait_until(lambda: drained(lab), patience, f"the queue is not empty: {receivers.taken()} of {total} arrived")
    summary = receivers.stop()
    print(f"mx {name}{' without rules' if not rules else ''}: {summary['messages']} messages in {time.monotonic() - began:.1f} s, "
          f"{summary['ids']['duplicated']} duplicated, {sum(broken(summary).values())} broken limits "
          f"{broken(summary) or ''}", flush=True)
    refused = len({(event["id"], event["recipient"]) for event in lab.events("failed")})
    assert watch or summary["ids"]["distinct"] + refused == total, f"{summary['ids']}, {refused} refused for good"
    return summary


def kept_all(summary):
    assert not broken(summary), f"limits were broken: {broken(summary)}"


def kill_and_restart(lab, receivers):
    """kill -9 twice, the second time soon after the start."""
    for seconds in (2.5, 1):
        time.sleep(seconds)
        lab.relay.kill()
        lab.serve()


def reload_often(lab, receivers):
    for turn in range(6):
        time.sleep(0.7)
        lab.relay.child.send_signal(signal.SIGHUP)
        wait_until(lambda: lab.relay.text().count("configuration read again") > turn, 10, "the configuration is not read again")


# --- limits ------------------------------------------------------------------------------------------------------

def sites_without_rules(lab):
    """The same mail under the shipped rules alone breaks limits: else the cases that follow would prove nothing."""
    assert broken(run_scenario(lab, "twenty-sites", 2000, 6, rules=False, watch=12)), "no limit was broken"


def sites_with_rules(lab):
    """Some mail has more recipients than a transaction of its site may have."""
    many = [(20, "small-messages", ("--recipients", 25)), (10, "everything", ("--recipients", 45))]
    kept_all(run_scenario(lab, "twenty-sites", 2000, 6, loads=many))


def sites_from_three_sources(lab):
    kept_all(run_scenario(lab, "twenty-sites", 3000, 6, sources=SOURCES))


def sites_with_kills(lab):
    kept_all(run_scenario(lab, "twenty-sites", 2000, 6, middle=kill_and_restart))


def sites_with_reloads(lab):
    kept_all(run_scenario(lab, "twenty-sites", 2000, 6, middle=reload_often))


def throttling_with_rules(lab):
    kept_all(run_scenario(lab, "throttling", 2000, 6))


def internet_with_rules(lab):
    kept_all(run_scenario(lab, "internet", 5000, 6, sources=SOURCES))


CASES = [smart_hosts, throttling, threshold, sites_with_kills, sites_with_rules, sites_with_reloads, throttling_with_rules, internet_with_rules,
         sites_from_three_sources, sites_without_rules]
ALONE = [asleep, exact_wake]


def attempt(case):
    """Runs the case; True when it passed."""
    began = time.monotonic()
    try:
        with Lab(case.__name__) as lab:
            case(lab)
        print(f"mx {case.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)
        return True
    except Exception:  # one broken case must not hide the others
        traceback.print_exc()
        print(f"mx {case.__name__}: FAILED", flush=True)
        return False


def main():
    words = sys.argv[1:]
    chosen = [case for case in CASES + ALONE if not words or any(case.__name__.startswith(word) for word in words)]
    # They wait more than they work: three at a time. What is measured in milliseconds runs alone.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        good = list(pool.map(attempt, [case for case in chosen if case not in ALONE]))
    good += [attempt(case) for case in chosen if case in ALONE]
    failed = good.count(False)
    if failed or not chosen:
        sys.exit(1)
    print(f"mx: {len(chosen)} cases passed")


if __name__ == "__main__":
    main()
