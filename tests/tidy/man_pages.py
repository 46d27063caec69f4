#!/usr/bin/env python3
"""Renders every man page as a reader sees it, and fails on warnings of the formatter, raw macros and broken quotes."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MACROS = r"(?:Ns|Ar|Pq|Dq|Ql|Fl|Op|No|Xr|Ic|Pa|Cm|Bq|Sq|Li|Nm)"
FAULTS = [
    (re.compile(r"[”\"][”\"]|““|“[^”]*“"), "a quotation mark that is not closed where it should be"),
    (re.compile(rf"(?<=\s){MACROS}(?=\s)"), "a raw macro"),
    (re.compile(r"\\f[A-Z]|\\\("), "a raw escape"),
]


def rendered(page):
    """(text as on a terminal without its overstrikes, what the formatter complains about)."""
    done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-P-c", "-rLL=100n", str(page)], capture_output=True,
                          text=True, check=True)
    return re.sub(r".\x08", "", done.stdout), done.stderr


def faults(text):
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, why in FAULTS:
            if pattern.search(line):
                yield f"line {number} of the rendered page: {why}: {line.strip()}"


def self_test():
    for bad in ['(“500ms, “90s”', "to d Ns Ar n", "a \\fBbold\\fP word", "“5d””"]:
        if not list(faults(bad)):
            sys.exit(f"man_pages: {bad!r} should be a fault")
    if list(faults("(“500ms”, “90s”), after = “time”")):
        sys.exit("man_pages: good quotes are taken for a fault")


def main():
    self_test()
    found = 0
    pages = sorted((ROOT / "packaging" / "man").iterdir())
    for page in pages:
        text, complaints = rendered(page)
        for line in [*complaints.splitlines(), *faults(text)]:
            print(f"{page.relative_to(ROOT)}: {line}")
            found += 1
    if found:
        sys.exit(1)
    print(f"man pages: {len(pages)} render cleanly")


if __name__ == "__main__":
    main()
