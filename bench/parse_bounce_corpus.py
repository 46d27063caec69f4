#!/usr/bin/env python3
"""Scores `penstock parse-bounce` on a labelled corpus of returned mail.

  parse_bounce_corpus.py CORPUS [--bin PENSTOCK] [--wrong]

CORPUS/labels.tsv has one row per (file, recipient); the columns are those of its README. Prints the shares by
kind, the confusion of reasons, and with --wrong the rows that were read wrongly.
"""
import argparse
import collections
import csv
import json
import pathlib
import subprocess
import sys

REPORTS = ("dsn", "nonstandard")


def read_labels(folder):
    with open(folder / "labels.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def run(binary, folder, files):
    done = subprocess.run([binary, "parse-bounce", *files], cwd=folder, capture_output=True, text=True, check=True)
    answers = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        answers[answer["file"]].append(answer)
    return answers


def accepted(row, key):
    return row[key].split("|")


def addresses(row):
    return {a.lower() for a in (row["recipient"], *row["recipient_alt"].split("|")) if a}


def pick(row, answers, several):
    """The answer that is about the row's recipient; in a report about one recipient, the only one."""
    wanted = addresses(row)
    for answer in answers:
        if {(answer.get(key) or "").lower() for key in ("recipient", "original_recipient")} & wanted:
            return answer, True
    return (answers[0] if answers and not several else None), False


class Scores:
    def __init__(self):
        self.counts = collections.defaultdict(lambda: [0, 0])
        self.confusion = collections.Counter()
        self.wrong = []

    def add(self, name, right, row=None, answer=None):
        self.counts[name][0] += bool(right)
        self.counts[name][1] += 1
        if not right and row is not None:
            self.wrong.append((name, row, answer))

    def show(self, everything):
        for name in sorted(self.counts):
            right, total = self.counts[name]
            print(f"{name:44} {right:4}/{total:<4} {100 * right / total:6.1f} %")
        print("\nreason in the corpus -> reason read (rows of tier A)")
        for (wanted, got), count in sorted(self.confusion.items(), key=lambda item: (item[0][0], -item[1])):
            print(f"  {wanted:20} {got:20} {count:4}{'' if wanted == got else '   <-'}")
        if everything:
            for name, row, answer in self.wrong:
                got = {k: answer.get(k) for k in ("kind", "recipient", "type", "reason", "rule", "code", "status", "diagnostic")} if answer else None
                print(f"WRONG {name}: {row['file']} wanted {row['kind']} {row['recipient']} {row['type']} {row['reason']}: {got}")


def score(rows, answers):
    scores = Scores()
    per_file = collections.Counter(row["file"] for row in rows)
    for row in rows:
        mine = answers.get(row["file"], [])
        answer, found = pick(row, mine, per_file[row["file"]] > 1)
        kind = row["kind"]
        if kind == "notbounce":
            scores.add("notbounce: nothing", [a["kind"] for a in mine] == ["notbounce"], row, mine[0] if mine else None)
            continue
        read_as = answer["kind"] if answer else "-"
        right_kind = {"dsn": ("dsn", "delayed"), "nonstandard": ("nonstandard", "delayed", "dsn")}.get(kind, (kind,))
        scores.add(f"kind: {kind}", read_as in right_kind, row, answer)
        if kind == "autoreply":
            scores.add("autoreply: never counted", all(a.get("type", "Ignored") == "Ignored" for a in mine), row, answer)
        if addresses(row) and kind in REPORTS + ("arf",):
            independent = row["recipient_basis"] in ("dsn-field", "source-test")
            scores.add(f"recipient: {'independent' if independent else 'peer'}, {kind}", found, row, answer)
            if independent:
                scores.add("recipient: independent", found)
        if "*" not in accepted(row, "type") and row["type"] != "-":
            scores.add("type", answer is not None and answer.get("type") in accepted(row, "type"), row, answer)
        if "*" not in accepted(row, "reason") and row["reason"] != "-":
            got = answer.get("reason", "-") if answer else "-"
            right = got in accepted(row, "reason")
            scores.add(f"reason: tier {row['tier']}", right, row, answer)
            if row["tier"] == "A":
                scores.confusion[(row["reason"], got)] += 1
    extra = sum(max(0, len(answers[file]) - count) for file, count in per_file.items())
    print(f"files {len(per_file)}, rows {len(rows)}, objects beyond the rows {extra}")
    return scores


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", type=pathlib.Path)
    arguments.add_argument("--bin", default="build/release/bin/penstock")
    arguments.add_argument("--wrong", action="store_true")
    options = arguments.parse_args()
    rows = read_labels(options.corpus)
    files = sorted({row["file"] for row in rows})
    scores = score(rows, run(str(pathlib.Path(options.bin).resolve()), options.corpus, files))
    scores.show(options.wrong)


if __name__ == "__main__":
    sys.exit(main())
