#!/usr/bin/env python3
"""Measures `penstock classify` on labelled replies (a TSV with the columns text, type, reason and tier, as in the corpus
of labelled bounces that lies beside a checkout).

  classify_corpus.py [--penstock FILE] [--corpus FILE] [--misses] [--check]

Prints the accuracy on tier A (one reason, which no status contradicts), the mean recall over its reasons, the accuracy
on all replies with a single label, and the confusion table. --misses lists what was read otherwise; --check exits with 1
below the targets.
"""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGETS = {"tier A": 0.92, "macro recall": 0.85, "single label": 0.88}


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["reason"]]


def classify(penstock, rows):
    lines = "".join(row["text"].replace("\n", " ") + "\n" for row in rows)
    done = subprocess.run([penstock, "classify"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(answers) != len(rows):
        sys.exit(f"{len(rows)} replies went in, {len(answers)} answers came out")
    return answers


def share(right, of):
    return right / of if of else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--penstock", default=str(ROOT / "build/release/bin/penstock"))
    parser.add_argument("--corpus", default=str(ROOT.parent / "shared/corpus/replies.tsv"))
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    rows = read_rows(options.corpus)
    answers = classify(options.penstock, rows)

    confusion = collections.Counter()
    of = collections.Counter()
    right = collections.Counter()
    types = [0, 0]
    accepted = [0, 0]
    single = [0, 0]
    misses = []
    for row, answer in zip(rows, answers):
        reasons = row["reason"].split("|")
        good = answer["reason"] in reasons or reasons == ["*"]
        accepted[0] += good
        accepted[1] += 1
        types[0] += answer["type"] in row["type"].split("|")
        types[1] += 1
        if len(reasons) == 1 and reasons != ["*"]:
            single[0] += good
            single[1] += 1
        if row["tier"] == "A":
            confusion[reasons[0], answer["reason"]] += 1
            of[reasons[0]] += 1
            right[reasons[0]] += good
        if not good:
            misses.append((row, answer))
    figures = {
        "tier A": share(sum(right.values()), sum(of.values())),
        "macro recall": share(sum(share(right[reason], of[reason]) for reason in of), len(of)),
        "single label": share(*single),
    }
    for name, value in figures.items():
        print(f"{name:14} {value:6.1%}  (target {TARGETS[name]:.0%})")
    print(f"{'any label':14} {share(*accepted):6.1%}")
    print(f"{'type':14} {share(*types):6.1%}")
    names = sorted({name for pair in confusion for name in pair})
    print("\ntier A: label (down), read as (across)")
    print(" " * 18 + "".join(f"{name[:12]:>14}" for name in names))
    for label in sorted(of):
        print(f"{label:18}" + "".join(f"{confusion[label, name] or '':>14}" for name in names))
    if options.misses:
        print()
        for row, answer in misses:
            print(f"{row['tier']} {row['reason']} read as {answer['reason']} by {answer['rule']}: {row['text'][:200]}")
    if options.check and any(value < TARGETS[name] for name, value in figures.items()):
        sys.exit(1)


if __name__ == "__main__":
    main()
