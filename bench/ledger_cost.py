#!/usr/bin/env python3
"""What it costs a message that refusals are read and kept: CPU of the relay for a message with the ledger of addresses and the table
of texts over that without. Some of the mail is refused for good, as real mail is. Fails above the bar.

  ledger_cost.py [--messages N] [--rounds N] [--refused PERCENT] [--scratch DIR]

$PENSTOCK_BIN says where the programs are; the release build by default.
"""
import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "interop"))
import harness  # noqa: E402
import relay_cpu  # noqa: E402
from harness import Lab, bin_dir  # noqa: E402

BAR = 1.03
OFF = '[quarantine]\nenabled = false\n[replies]\ntable = "off"\n'


def cpu_a_message(count, refused, tail):
    """Microseconds of CPU of the relay for a message to one recipient."""
    with Lab("bench-ledger") as lab:
        lab.dns(relay_cpu.RECORDS)
        _, port, _ = lab.sink("sink", "--fail-rate", str(refused / 100), "--fail-code", "550")
        rules = '[mx]\nshipped_rules = "off"\n'  # none may block the sink
        lab.write_config(defaults=f"port = {port}\nfailure_reports = false\n", tail=rules + tail)
        return relay_cpu.a_message(lab, count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--refused", type=float, default=3)
    parser.add_argument("--scratch", type=pathlib.Path)
    wanted = parser.parse_args()
    if wanted.scratch:
        os.environ["PENSTOCK_BIN"] = str(bin_dir())
        harness.ROOT = wanted.scratch
    # In turns, so that a busy machine is the same to both; the least of each, which the others disturbed least.
    rounds = [(cpu_a_message(wanted.messages, wanted.refused, OFF), cpu_a_message(wanted.messages, wanted.refused, ""))
              for _ in range(wanted.rounds)]
    without, with_it = min(r[0] for r in rounds), min(r[1] for r in rounds)
    met = with_it <= BAR * without
    print(f"{without:.1f} us of CPU a message without, {with_it:.1f} us with ledger and table: {with_it / without:.3f} "
          f"(bar {BAR}): {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
