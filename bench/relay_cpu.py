"""CPU of a relay of tests/interop/harness.py, which the caller has put on its path."""
import os
import pathlib
import subprocess

from harness import bin_dir, port_open, wait_until

# What Lab.dns() needs for the mail of a_message().
DOMAINS = 50
RECORDS = [f"d{n} MX 10 mx\n" for n in range(1, DOMAINS + 1)] + ["mx A 127.0.0.1"]


def cpu_seconds(pid):
    """User and system time of the process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def a_message(lab, count):
    """Starts the relay, which is configured, sends `count` messages of 4 KB to one recipient each, and waits until its queue is
    empty. Microseconds of CPU of the relay for one of them."""
    lab.serve()
    wait_until(lambda: port_open("127.0.0.1", lab.port), 10, "the relay does not listen")
    before = cpu_seconds(lab.relay.pid)
    subprocess.run([bin_dir() / "penstock-load", "--to", f"127.0.0.1:{lab.port}", "--messages", str(count), "--connections", "20",
                    "--domains", str(DOMAINS), "--from", "news@sender.test", "--size", "4k"], check=True, capture_output=True)
    wait_until(lambda: lab.queue("summary")["messages"] == 0, 300, "the queue is not empty")
    return (cpu_seconds(lab.relay.pid) - before) / count * 1e6
