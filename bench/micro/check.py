"""The comparison behind check.sh.

callgrind starts its count anew when a benchmark enters its loop and writes it down when it leaves it, so that neither set-up
nor the start of the program counts. Each benchmark runs a fixed number of times.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ITERATIONS = 200
# Threads and a disk: another count each time. A million sites, ten million addresses are minutes under valgrind, and of them
# time and memory count.
NOT_COUNTED = "batch_on_disk|^table_|^weight|^find_in_quarantine"


def fail(text):
    print(f"check.sh: {text}", file=sys.stderr)
    sys.exit(2)


def count(program, only):
    """name -> instructions of one iteration."""
    if not program.exists():
        fail(f"{program} is not there: ninja -C build/release penstock-micro")
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}/count",
                   "--zero-before=benchmark::State::StartKeepRunning()", "--dump-before=benchmark::State::FinishKeepRunning()",
                   program, f"--benchmark_filter={only or '-' + NOT_COUNTED}", f"--benchmark_out={out}/report.json",
                   "--benchmark_out_format=json"]
        # LD_BIND_NOW: finding a function in a library, at its first call, is no work of the benchmark.
        ran = subprocess.run(command, capture_output=True, text=True, check=False,
                             env=dict(os.environ, PENSTOCK_MICRO_ITERATIONS=str(ITERATIONS), LD_BIND_NOW="1"))
        if ran.returncode != 0:
            fail(f"penstock-micro under valgrind: {ran.stderr[-1000:]}")
        counts = {}
        for number, run in enumerate(json.loads((out / "report.json").read_text())["benchmarks"], 1):
            name = re.sub(r"/iterations:\d+$", "", run["name"])
            if run.get("error_occurred"):
                fail(f"{name}: {run['error_message']}")
            if run["iterations"] != ITERATIONS:
                fail(f"{name} ran {run['iterations']} times: register it with MICRO (bench/micro/micro.h), not BENCHMARK")
            dump = out / f"count.{number}"
            found = re.search(r"^summary: (\d+)$", dump.read_text(), re.M) if dump.exists() else None
            if not found:
                fail(f"valgrind did not count {name}")
            counts[name] = round(int(found[1]) / ITERATIONS, 1)
    return counts


def built_with(program):
    """What else moves the counts: the compiler and the C library."""
    comment = subprocess.run(["readelf", "-p", ".comment", program], capture_output=True, text=True, check=False).stdout
    compilers = sorted(set(re.findall(r"\]\s+(.*)", comment)))
    return "; ".join(compilers + [" ".join(os.confstr("CS_GNU_LIBC_VERSION").split())])


def compare(baseline, counts, most, whole):
    """Lines to print, and the names that are out of bounds. `whole`: each benchmark of the baseline should be there."""
    lines, bad = [], []
    width = max(map(len, counts), default=10)
    for name, now in counts.items():
        before = baseline.get(name)
        if before is None:
            lines.append(f"{name:<{width}} {now:>12,.1f}  not in the baseline: check.sh --update")
            continue
        change = now / before - 1 if before else 0
        verdict = ""
        if change > most:
            verdict = f"  REGRESSION: more than {most:.0%}"
            bad.append(name)
        elif change < -most:
            verdict = "  better: check.sh --update keeps it so"
        lines.append(f"{name:<{width}} {now:>12,.1f}  {change:+7.1%}{verdict}")
    for name in baseline if whole else ():
        if name not in counts:
            lines.append(f"{name:<{width}} {'':>12}  MISSING: taken away on purpose? check.sh --update")
            bad.append(name)
    return lines, bad


def main():
    parser = argparse.ArgumentParser(prog="check.sh", description="Instructions of each inner loop against the baseline.",
                                     epilog="Exit status: 0 all within bounds, 1 a regression, 2 nothing could be compared.")
    parser.add_argument("--update", action="store_true", help="write the baseline")
    parser.add_argument("--most", type=float, default=10, help="percent more that are let through (10)")
    parser.add_argument("--filter", default="", help="only benchmarks that this regular expression matches")
    parser.add_argument("--baseline", type=pathlib.Path, default=HERE / "baseline.json", help="another baseline")
    parser.add_argument("--counts", type=pathlib.Path, help="compare this file of counts; count nothing")
    parser.add_argument("--save", type=pathlib.Path, help="write the counts to this file too")
    options = parser.parse_args()
    program = pathlib.Path(os.environ.get("PENSTOCK_BIN", HERE.parents[1] / "build/release/bin")) / "penstock-micro"
    if options.update and (options.filter or options.counts):
        fail("--update counts all; it does not go with --filter or --counts")
    if options.counts:
        now = json.loads(options.counts.read_text())
    else:
        now = {"built_with": built_with(program), "instructions": count(program, options.filter)}
    for path in (options.save, options.baseline if options.update else None):
        if path:
            path.write_text(json.dumps(now, indent=1) + "\n")
    if options.update:
        print(f"{options.baseline}: {len(now['instructions'])} benchmarks")
        return 0
    if not options.baseline.exists():
        fail(f"{options.baseline} is not there: check.sh --update writes it")
    baseline = json.loads(options.baseline.read_text())
    if baseline["built_with"] != now["built_with"]:
        print(f"The baseline was counted with {baseline['built_with']}, this with {now['built_with']}: "
              "differences may come from that.")
    lines, bad = compare(baseline["instructions"], now["instructions"], options.most / 100, not options.filter)
    print("\n".join(lines))
    if bad:
        print(f"check.sh: {len(bad)} of {len(now['instructions'])} out of bounds: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
