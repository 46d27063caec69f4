#!/usr/bin/env python3
"""How the relay begins, as a service manager sees it: what ends a start and with which status, and what must not end it.

usage: start.py path/to/penstock"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
LIMIT = 60
USAGE = 2


def free_port():
    with socket.socket() as any_one:
        any_one.bind(("127.0.0.1", 0))
        return any_one.getsockname()[1]


class Relay:
    """A relay with a configuration of its own, in a folder of its own; `more` is put at the end."""

    def __init__(self, folder, more=""):
        self.config = pathlib.Path(folder) / "penstock.toml"
        self.errors = pathlib.Path(folder) / "errors"
        self.config.write_text(f'''hostname = "relay.example.com"
[[listener]]
address = "127.0.0.1:{free_port()}"
[spool]
path = "{folder}/spool"
[log]
path = "{folder}/delivery.jsonl"
[admin]
socket = "{folder}/admin.sock"
{more}''')

    def begin(self):
        return subprocess.Popen([PROGRAM, "serve", "-c", self.config], stderr=self.errors.open("w"))

    def said(self):
        return self.errors.read_text()


def wait_for(what):
    until = time.monotonic() + LIMIT
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True


def holds(process):
    """Whether its first thread keeps these two signals waiting, and no others: Python keeps all waiting before the exec."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    held = int(re.search(r"^SigBlk:\s*(\S+)", text, re.M).group(1), 16)
    return held == 1 << (signal.SIGHUP - 1) | 1 << (signal.SIGUSR1 - 1)


def signals_of_a_start(folder):
    """logrotate and a reload do not look whether the relay has begun: neither may end it, and the reload comes to pass."""
    relay = Relay(folder)
    process = relay.begin()
    try:
        wait_for(lambda: holds(process) or "listening on" in relay.said())
        if not holds(process):
            return "nothing keeps the signals waiting until the loop listens"
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
            process.send_signal(number)
        if not wait_for(lambda: process.poll() is not None or "configuration read again" in relay.said()):
            return "a reload that came during the start is forgotten"
        if process.poll() is not None:
            return f"a signal during the start ended the relay: {process.returncode}"
        return "the signals are never let in again" if holds(process) else ""
    finally:
        process.terminate()
        process.wait(LIMIT)


def what_check_refuses(folder):
    """Is refused by a start with the status that keeps the service manager from trying again for ever."""
    folder = pathlib.Path(folder)
    (folder / "key.pem").write_text("no key\n")
    (folder / "key.pem").chmod(0o640)
    for name, more in {
        "DKIM": f'[[dkim_key]]\ndomain = "example.com"\nselector = "s"\nfile = "{folder}/key.pem"\n',
        "TLS": f'[tls]\ncertificate = "{folder}/key.pem"\nkey = "{folder}/key.pem"\n',
        "secret": f'[[login]]\nname = "hub"\nuser = "u"\nfile = "{folder}/missing"\n',
    }.items():
        relay = Relay(folder, more)
        checked = subprocess.run([PROGRAM, "check", "-c", relay.config], capture_output=True, timeout=LIMIT)
        begun = relay.begin()
        try:
            status = begun.wait(LIMIT)
        finally:
            begun.kill()
        if (checked.returncode, status) != (USAGE, USAGE):
            return f"{name}: check ends with {checked.returncode}, serve with {status}: {relay.said()}"
        if "cannot start" not in relay.said():
            return f"{name}: {relay.said()}"
    return ""


def status_of_a_failed_start(folder):
    """A signal that waits during a start that fails does not take the place of its status, by which the manager goes."""
    folder = pathlib.Path(folder)
    relay = Relay(folder, f'[[login]]\nname = "hub"\nuser = "u"\nfile = "{folder}/missing"\n')
    for _ in range(20):  # it may fail before the signal is sent
        process = relay.begin()
        try:
            wait_for(lambda: process.poll() is not None or holds(process))
            process.send_signal(signal.SIGHUP)
            sent = process.poll() is None
            status = process.wait(LIMIT)
        finally:
            process.kill()
        if sent:
            return "" if status == USAGE else f"the start ends with {status}: {relay.said()}"
    return "no start lasted until its signal came"


def check_by_a_bound_root(folder):
    """In a container root may not become another user: check says what it sees as it is, and does not break off."""
    if os.geteuid() != 0:
        return ""  # whoever is not root never tries
    relay = Relay(folder)
    relay.config.write_text('run_as = "nobody"\n' + relay.config.read_text())
    checked = subprocess.run(["setpriv", "--bounding-set=-setuid,-setgid", PROGRAM, "check", "-c", relay.config],
                             capture_output=True, text=True, timeout=LIMIT)
    return "" if checked.returncode == 0 else f"check ends with {checked.returncode}: {checked.stderr}"


def the_unit(_):
    unit = (ROOT / "packaging/penstock.service.in").read_text()
    if "RestartPreventExitStatus=2\n" not in unit:
        return "a wrong configuration is started again for ever"
    # What hides /proc/sys hides the name of the boot, by which a restart knows that the clock of the system went on.
    if "\nProcSubset=pid\n" in unit and "\nEnvironment=PENSTOCK_BOOT_ID=%b\n" not in unit:
        return "the unit hides the boot id and does not name it"
    # systemd.unit(5): dependencies cannot be reset.
    if re.search(r"^(Wants|After|Requires)=$", (ROOT / "packaging/own-ports.conf").read_text(), re.M):
        return "own-ports.conf takes back a dependency: systemd ignores that"
    return ""


def main():
    failed = False
    for test in (signals_of_a_start, what_check_refuses, status_of_a_failed_start, check_by_a_bound_root, the_unit):
        with tempfile.TemporaryDirectory(prefix="penstock-start-") as folder:
            why = test(folder)
        print(f"{test.__name__}: {why or 'good'}")
        failed = failed or bool(why)
    sys.exit(1 if failed else 0)


main()
