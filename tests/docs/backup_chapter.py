#!/usr/bin/env python3
"""Runs the commands of the chapter "Backup, moving, upgrading" of docs/operations.md as they stand, one block after the other, beside a
relay with a message that waits and an address in quarantine. After each block both must still be there, and the relay must run.
systemd, the other machine and the owner of files are stood in for; paths are moved into a folder of the test. With systemd, a relay whose
sockets stay open is started by the next client: to stop it without them is an error here.

usage: backup_chapter.py path/to/penstock"""
import os
import pathlib
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOVED = {"/etc/penstock": "etc", "/var/lib/penstock": "lib", "/var/backups": "backups"}
SYSTEMCTL = """#!/bin/sh
stop() {
  [ -e run/pid ] || return 0
  kill "$(cat run/pid)"
  while kill -0 "$(cat run/pid)" 2>/dev/null; do sleep 0.05; done
  rm -f run/pid
}
start() {
  [ ! -e run/pid ] || return 0
  bin/program serve -c etc/penstock.toml >>run/out 2>&1 &
  echo $! >run/pid
  for _ in $(seq 200); do penstock queue summary >/dev/null 2>&1 && return 0; sleep 0.05; done
  cat run/out >&2
  return 1
}
case "$*" in
  "stop penstock")
    echo "its sockets would start it again for the next client" >&2
    exit 1
    ;;
  stop* | disable*) stop ;;
  start* | enable*) start ;;
  restart*) stop && start ;;
  *) exit 2 ;;
esac
"""


def chapter():
    text = (ROOT / "docs/operations.md").read_text()
    begin = text.index("## Backup, moving, upgrading\n")
    return re.findall(r"^```sh\n(.*?)^```", text[begin:text.index("\n## ", begin + 1)], re.M | re.S)


class Machine:
    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder)
        for name in ("bin", "run", *MOVED.values()):
            (self.folder / name).mkdir()
        (self.folder / "bin/program").symlink_to(program)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.folder / "etc/penstock.toml").write_text(
            f'hostname = "relay.example.com"\n[[listener]]\naddress = "127.0.0.1:{self.port}"\n[dns]\nservers = ["127.0.0.1:1"]\n'
            f'[spool]\npath = "{self.folder}/lib/spool"\n[admin]\nsocket = "{self.folder}/run/admin.sock"\n'
            f'[log]\npath = "{self.folder}/run/delivery.jsonl"\n')
        (self.folder / "etc/penstock.toml").chmod(0o640)
        for name, text in (("systemctl", SYSTEMCTL), ("scp", "#!/bin/sh\n"), ("chown", "#!/bin/sh\n"),
                           ("penstock", f'#!/bin/sh\nexec bin/program "$@" -c etc/penstock.toml\n')):
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)

    def run(self, commands):
        for path, name in MOVED.items():
            commands = commands.replace(path, str(self.folder / name))
        env = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "LC_ALL": "C"}
        # With a relay in the background of the commands, their output goes to a file: a pipe would stay open.
        with open(self.folder / "run/said", "w+", encoding="utf-8") as said:
            done = subprocess.run(["sh", "-ec", commands], cwd=self.folder, env=env, stdin=subprocess.DEVNULL, stdout=said,
                                  stderr=said, timeout=120, check=False)
            said.seek(0)
            text = said.read()
        if done.returncode != 0:
            sys.exit(f"backup_chapter: status {done.returncode} of\n{commands}\n{text}")
        return text

    def holds_all(self):
        """What must be there after each block."""
        queue, addresses = self.run("penstock queue list"), self.run("penstock quarantine show bad@example.net")
        return "user@waits.example" in queue and "is quarantine since" in addresses and (self.folder / "run/pid").exists()


    def restore_again(self, block):
        """A second restore, with the folder of the first still there, unpacks nothing over the spool."""
        unpacked = self.folder / "lib/in-the-archive"
        unpacked.unlink()
        self.run(block)
        if unpacked.exists() or not self.holds_all():
            sys.exit("backup_chapter: a second restore writes over the spool that is there")


def main(program):
    if not shutil.which("sqlite3"):
        print("backup_chapter: without sqlite3 its commands cannot be run")
        return 77
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/tmp")) as folder:
        machine = Machine(program, folder)
        machine.run("systemctl start penstock")
        try:
            with smtplib.SMTP("127.0.0.1", machine.port) as client:
                client.sendmail("news@shop.example", ["user@waits.example"], "Subject: x\n\nx\n")
            machine.run("penstock quarantine add bad@example.net")
            (machine.folder / "lib/in-the-archive").touch()
            if not machine.holds_all():
                sys.exit("backup_chapter: the relay of the test does not hold what it should")
            blocks = chapter()
            for block in blocks:
                machine.run(block)
                # The commands for the old machine of a move leave it stopped.
                if "disable" not in block and not machine.holds_all():
                    sys.exit(f"backup_chapter: mail, an address or the relay is gone after\n{block}")
                if "penstock.before" in block:
                    machine.restore_again(block)
            machine.run("systemctl stop penstock.socket penstock\nmv /var/lib/penstock /var/lib/penstock.gone\nsystemctl start penstock")
            if machine.holds_all():
                sys.exit("backup_chapter: it does not see that the queue is gone")
        finally:
            machine.run("systemctl stop penstock.socket penstock")
    print(f"backup_chapter: {len(blocks)} blocks of commands keep the queue and the ledger")
    return 0 if len(blocks) >= 6 else 1


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
