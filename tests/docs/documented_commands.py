#!/usr/bin/env python3
"""Takes the commands out of README.md and docs/ and runs, as they stand, those that need no running relay; of the others it
asks that they are understood. Each command that the text names in passing must exist, too; and each option of the load tools stands in
their manual pages.

usage: documented_commands.py path/to/penstock"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What a machine has these paths for, here in a folder of the test.
MOVED = {"/etc/penstock": "etc", "/var/lib/penstock": "lib", "/var/log/penstock": "log", "/run/penstock": "run"}
DONE, FAILED, USAGE = 0, 1, 2
NEEDS_RELAY = ("queue", "mx", "reload", "explain")
SKIPPED = ("serve",)  # does not end by itself
# These ask the ledger of addresses, or DNS: what they look for may not be there.
MAY_FAIL = ("quarantine", "report", "qualify", "spool", "dkim check")


def commands_in(text):
    """(line, command) of every command of penstock in the blocks of code, with its continuation lines."""
    fence, whole, begin = None, "", 0
    for number, line in enumerate(text.split("\n"), 1):
        mark = re.match(r"^\s*```+(\w*)", line)
        if mark:
            fence = mark.group(1) if fence is None else None
            continue
        if fence not in ("", "sh", "bash", "console"):
            continue
        line = re.sub(r"^\s*\$ ", "", line)
        if not whole and not re.match(r"(\S*/)?penstock(\s|$)", line):
            continue
        begin = begin if whole else number
        whole += line.rstrip("\\")
        if not line.endswith("\\"):
            yield begin, whole
            whole = ""


def named_in(text):
    """(line, words) of `penstock word ...` in running text: the sub-commands as far as they are plain words."""
    for number, line in enumerate(text.split("\n"), 1):
        for span in re.findall(r"`penstock ([^`]+)`", line):
            words = []
            for word in span.split():
                if not re.fullmatch(r"[a-z][a-z-]*", word):
                    break
                words.append(word)
            if words:
                yield number, words


class Sandbox:
    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        for name in (*MOVED.values(), "bin", "etc/dkim"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "bin/penstock").symlink_to(program)
        self.config = self.folder / "etc/penstock.toml"
        lines = (ROOT / "packaging/penstock.toml").read_text().split("\n")
        text = "\n".join(line for line in lines if not line.startswith("run_as"))
        text += ('\n[spool]\npath = "/var/lib/penstock/spool"\n[log]\npath = "/var/log/penstock/delivery.jsonl"\n'
                 '[admin]\nsocket = "/run/penstock/admin.sock"\n[quarantine]\npath = "/var/lib/penstock/ledger.db"\n')
        self.config.write_text(self.moved(text))
        os.chmod(self.config, 0o640)
        (self.folder / "suppressed.csv").write_text("ann@x.example\n")
        (self.folder / "log/delivery.jsonl").write_text(
            '{"time":"2026-11-24T09:53:44.123456Z","event":"accepted","id":"1m8a18szv0000",'
            '"reverse_path":"news@shop.example","recipient":"user@example.net","recipients":1}\n')

    def moved(self, text):
        for path, name in MOVED.items():
            text = text.replace(path, str(self.folder / name))
        return text

    def run(self, command):
        env = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C"}
        return subprocess.run(["sh", "-c", command], cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300)


def words_of(command):
    words = shlex.split(command, comments=True)[1:]
    while words and words[0] in ("-c", "--config"):
        words = words[2:]
    return words


def with_config(command, config):
    return command if re.search(r"\s(-c|--config)\s", command) else command.replace("penstock", f"penstock -c {config}", 1)


def judge(words, done):
    """What is wrong with how the command ended; None: nothing."""
    if done.returncode == USAGE:
        return "is not understood"
    if words[0] in NEEDS_RELAY and "--offline" not in words:
        missing = done.returncode == FAILED and "is penstock running?" in done.stderr
        return None if missing else "should fail for want of a running relay"
    if words[0] in MAY_FAIL or " ".join(words[:2]) in MAY_FAIL:
        return None if done.returncode in (DONE, FAILED) else "ended oddly"
    return None if done.returncode == DONE else "failed"


def check_blocks(sandbox):
    faults, ran, left = [], 0, 0
    for page in PAGES:
        for line, whole in commands_in(page.read_text()):
            for command in whole.split("&&"):
                command = re.sub(r"^\s*\S*/(penstock)(?=\s)", r"\1", command).strip()
                if not re.match(r"penstock(\s|$)", command):
                    continue
                words = words_of(command)
                if not words or words[0] in SKIPPED or "/var/tmp/" in command:
                    left += 1
                    continue
                done = sandbox.run(with_config(sandbox.moved(command), sandbox.config))
                ran += 1
                why = judge(words, done)
                if why:
                    said = (done.stderr or done.stdout).strip()[:500]
                    faults.append(f"{page.relative_to(ROOT)}:{line}: {command}\n    {why}: status {done.returncode}: {said}")
    return faults, ran, left


def check_names(sandbox):
    faults, seen = [], {}
    for page in [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "packaging/penstock.toml"]:
        for line, words in named_in(page.read_text()):
            key = tuple(words)
            if key not in seen:
                # The last word may be an argument: with one less it must be known.
                seen[key] = any(sandbox.run(shlex.join(["penstock", *words[:n], "--help"])).returncode == DONE
                                for n in range(len(words), max(len(words) - 2, 0), -1))
            if not seen[key]:
                faults.append(f"{page.relative_to(ROOT)}:{line}: `penstock {' '.join(words)}`: there is no such command")
    return faults, len(seen)


def check_tools(folder):
    """Faults of the manual pages of the load tools, as far as these were built."""
    faults = []
    for name in ("penstock-load", "penstock-sink"):
        if not (folder / name).exists():
            continue
        page = (ROOT / f"packaging/man/{name}.1").read_text()
        told = subprocess.run([folder / name, "--help"], capture_output=True, text=True, timeout=60).stdout
        for option in re.findall(r"^  (?:-\w,)?-(-[a-z0-9-]+)", told, re.MULTILINE):
            if option != "-help" and not re.search(rf" {option}(?![a-z0-9-])", page):
                faults.append(f"packaging/man/{name}.1: has no option -{option}")
    return faults


def self_test(sandbox):
    page = "```\n$ penstock check\npenstock queue \\\n  list\nprint\n```\n`penstock mx status` and `penstock nonsense x`\n"
    found = [words_of(command) for _, command in commands_in(page)], [words for _, words in named_in(page)]
    if found != ([["check"], ["queue", "list"]], [["mx", "status"], ["nonsense", "x"]]):
        sys.exit(f"documented_commands: read wrongly: {found}")
    for command in ("penstock queue list --no-such-option", "penstock nonsense", "penstock check -c /nonexistent"):
        if judge(words_of(command), sandbox.run(with_config(command, sandbox.config))) is None:
            sys.exit(f"documented_commands: {command!r} should be a fault")
    if sandbox.run("penstock nonsense --help").returncode == DONE:
        sys.exit("documented_commands: a command that is not there has a help text")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="penstock-docs-") as folder:
        sandbox = Sandbox(program, folder)
        self_test(sandbox)
        faults, ran, left = check_blocks(sandbox)
        more, named = check_names(sandbox)
    more += check_tools(program.parent)
    for fault in faults + more:
        print(fault, file=sys.stderr)
    print(f"documented commands: {ran} ran, {left} were left out, {named} are named in the text")
    if ran < 40 or named < 20:
        sys.exit("documented_commands: the pages have fewer commands than they had; does this still find them?")
    sys.exit(1 if faults or more else 0)


main()
