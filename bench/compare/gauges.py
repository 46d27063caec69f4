"""What a relay costs: processor time and memory of all its processes, and what its disk was told to write.

Processor time comes from a cgroup (v2): it holds the ended children too, also of relays that do not wait for them.
Memory is the sum of the proportional set sizes (PSS), so that pages shared by many processes count once.
Bytes written are counted where they arrive, at a block device of the relay's own (a file, an ext4 in it, a loop device), so
that the journal of the file system counts; syncs are the calls that the relay makes, counted by strace.
"""
import os
import pathlib
import signal
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cgroup_root():
    for line in open("/proc/mounts"):
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    raise SystemExit("run.sh: no cgroup (v2) is mounted: the processor time of a relay could not be counted")


class Group:
    """A cgroup with the processes of one relay. `enter` runs in the child before it becomes the relay."""

    def __init__(self, name):
        self.path = cgroup_root() / f"penstock-compare-{os.getpid()}-{name}"
        try:
            self.path.mkdir()
        except OSError as error:
            raise SystemExit(f"run.sh: {self.path}: {error.strerror}: processor time could not be counted") from None

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]

    def cpu_seconds(self):
        for line in (self.path / "cpu.stat").open():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e6
        raise SystemExit(f"run.sh: {self.path}/cpu.stat has no usage_usec")

    def memory_mb(self):
        total = 0
        for pid in self.pids():
            try:
                for line in open(f"/proc/{pid}/smaps_rollup"):
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
            except OSError:
                pass  # it has ended
        return total / 1024

    def end(self):
        """Asks the processes to end, then makes them; all are ours: nothing else ever entered."""
        for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 10)):
            deadline = time.monotonic() + seconds
            asked = set()
            while (pids := self.pids()) and time.monotonic() < deadline:
                for pid in pids:
                    if pid not in asked:
                        asked.add(pid)
                        try:
                            os.kill(pid, sign)
                        except ProcessLookupError:
                            pass
                time.sleep(0.05)
        for _ in range(50):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.1)


class MemoryPeak(threading.Thread):
    """Looks every half second."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.group, self.peak_mb, self.over = group, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.5):
            self.peak_mb = max(self.peak_mb, self.group.memory_mb())

    def stop(self):
        self.over.set()
        self.join()
        self.peak_mb = max(self.peak_mb, self.group.memory_mb())
        return self.peak_mb


def process_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def machine_seconds():
    """Processor time that anything on the machine has used."""
    user, nice, system, _, _, irq, soft, *_ = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return (user + nice + system + irq + soft) / TICK


SYNC_CALLS = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync", "msync")


def count_syncs(path, programs_change_user):
    """The words that go before a command whose syncs are to be listed in `path`."""
    words = ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"trace={','.join(SYNC_CALLS)}", "-o", path]
    # Stops at these calls only; but the kernel then lets no program change its user, as Exim does for each delivery.
    return words if programs_change_user else words + ["--seccomp-bpf"]


def syncs(path):
    """How many were begun; a call that another process interrupted in the list has a second line, which is not counted."""
    with open(path, "rb") as file:
        return sum(1 for line in file if b"(" in line and line.split(None, 1)[1].startswith(tuple(c.encode() for c in SYNC_CALLS)))


class NoDisk(Exception):
    """A loop device could not be had."""


class Disk:
    """A directory on a block device of its own."""

    def __init__(self, directory, megabytes=3000):
        self.image = pathlib.Path(f"{directory}.img")
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        with self.image.open("wb") as file:
            file.truncate(megabytes << 20)
        self.device = None
        try:
            self._call("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
            self.device = self._call("losetup", "--find", "--show", self.image).strip()
            self._call("mount", self.device, self.directory)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            self.close()
            raise NoDisk(reason.strip()) from None
        self.directory.chmod(0o755)

    @staticmethod
    def _call(*words):
        return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout

    def written(self):
        """(flushes, bytes) that the device got until now, with all that waits written out first."""
        self._call("sync", "-f", self.directory)
        fields = open(f"/sys/block/{pathlib.Path(self.device).name}/stat").read().split()
        return int(fields[15]), int(fields[6]) * 512

    def close(self):
        subprocess.run(["umount", self.directory], capture_output=True, check=False)
        if self.device:
            subprocess.run(["losetup", "-d", self.device], capture_output=True, check=False)
        self.image.unlink(missing_ok=True)
