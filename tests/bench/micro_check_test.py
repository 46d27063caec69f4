#!/usr/bin/python3
"""Does bench/micro/check.sh catch a regression? Counts with an injected change go through the same comparison."""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = json.loads((ROOT / "bench/micro/baseline.json").read_text())


def check(change, *options):
    counts = json.loads(json.dumps(BASELINE))
    change(counts["instructions"])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(counts, file)
        file.flush()
        return subprocess.run([sys.executable, ROOT / "bench/micro/check.py", "--counts", file.name, *options],
                              capture_output=True, text=True, check=False)


def scaled(name, factor):
    def change(counts):
        counts[name] *= factor
    return change


def expect(what, ran, status, text=""):
    if ran.returncode != status or text not in ran.stdout + ran.stderr:
        sys.exit(f"micro_check_test: {what}: exit status {ran.returncode} in the place of {status}, said\n{ran.stdout}{ran.stderr}")


def main():
    names = list(BASELINE["instructions"])
    assert len(names) >= 20, names
    expect("the baseline itself", check(lambda counts: None), 0)
    for name in names:
        expect(f"15 % more in {name}", check(scaled(name, 1.15)), 1, f"out of bounds: {name}")
    expect("9 % more", check(scaled(names[0], 1.09)), 0)
    expect("15 % more where 20 % may be", check(scaled(names[0], 1.15), "--most", "20"), 0)
    expect("15 % less", check(scaled(names[0], 0.85)), 0, "better")
    expect("one is gone", check(lambda counts: counts.pop(names[0])), 1, "MISSING")
    expect("one is new", check(lambda counts: counts.update(new_one=1.0)), 0, "not in the baseline")
    print(f"micro_check_test: a regression of each of {len(names)} benchmarks is caught")


if __name__ == "__main__":
    main()
