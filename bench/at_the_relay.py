#!/usr/bin/env python3
"""What became, at the relay, of the messages that have not arrived: one line of the answer of
`penstock queue summary --json`. A number that is not there is an error, and never a blank.

usage: at_the_relay.py FILE"""
import json
import sys


def line_of(summary):
    """The line, or ValueError with the name of the number that is missing."""
    since_start = summary.get("since_start") or {}
    told = []
    for name, value, words in (("deliveries", summary.get("deliveries"), "wait"),
                               ("since_start.failed", since_start.get("failed"), "were refused for good"),
                               ("since_start.expired", since_start.get("expired"), "became too old")):
        if not isinstance(value, int):
            raise ValueError(f"the summary of the queue has no number {name}")
        told.append(f"{value} {words}")
    return "at the relay: " + ", ".join(told)


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            print(line_of(json.load(file)))
    except (OSError, ValueError) as error:
        sys.exit(f"at_the_relay: {error}")
