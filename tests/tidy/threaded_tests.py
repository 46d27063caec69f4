#!/usr/bin/env python3
"""Checks that the thread sanitizer sees each test that starts a thread: tests/CMakeLists.txt names those that it leaves out.

  threaded_tests.py [ROOT]     prints each test that is left out and may start a thread; exit status 1 when there is one
  threaded_tests.py --self-test
"""
import fnmatch
import re

import checks

STARTS = re.compile(r"\bstd::(thread|jthread|async)\b(?!::(id|hardware_concurrency))|\bpthread_create\s*\(|\bMHD_start_daemon\b"
                    r"|\buv_(thread_create|queue_work)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def text_of(path):
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def starts(root, header):
    """What has a thread of its own: the header or the source beside it."""
    source = root / header.replace(".h", ".cc")
    return bool(STARTS.search(text_of(root / header)) or STARTS.search(text_of(source)))


def reason(root, test):
    """Why the test may start a thread: itself, what it is about, or a helper of the tests that it includes. None: it does not."""
    asked, left = set(), [test]
    while left:
        path = left.pop()
        if path in asked:
            continue
        asked.add(path)
        if path == test or path.startswith("tests/"):
            if starts(root, path):
                return path
            left += INCLUDE.findall(text_of(root / path))
        elif starts(root, path):
            return path
    return None


def suites(lists):
    """name of each suite -> patterns of its sources, without "tests/"."""
    globs = {name: patterns.split() for name, patterns in
             re.findall(r"file\(GLOB (\w+) CONFIGURE_DEPENDS ([^)]*)\)", lists)}
    return {name: globs.get(of, []) for name, of in
            re.findall(r"penstock_test\((\w+) SOURCES \$\{(\w+)\}", lists)}


def left_out(root):
    """(suite, test) of those that are not built for the thread sanitizer."""
    lists = text_of(root / "tests/CMakeLists.txt")
    without = re.search(r"set\(without_threads ([^)]*)\)", lists).group(1).split()
    some = {name + "_test": re.compile(pattern.replace("\\\\", "\\"))
            for name, pattern in re.findall(r'set\(threaded_(\w+) "([^"]*)"\)', lists)}
    for suite, patterns in suites(lists).items():
        for file in sorted((root / "tests").rglob("*.cc")):
            inner = file.relative_to(root / "tests").as_posix()
            if not any(inner.count("/") == one.count("/") and fnmatch.fnmatch(inner, one) for one in patterns):
                continue
            if suite in without or (suite in some and not some[suite].search(file.as_posix())):
                yield suite, "tests/" + inner


def breaches(root):
    for suite, test in left_out(root):
        why = reason(root, test)
        if why:
            yield f"{test}:1: {suite} is left out of the thread sanitizer (tests/CMakeLists.txt), and a thread may start in {why}"


LISTS = r'''set(threaded_queue "/intake/|_rig\\.cc")
set(without_threads mx_test)
file(GLOB mx_tests CONFIGURE_DEPENDS mx/*/*_test.cc)
penstock_test(mx_test SOURCES ${mx_tests} LIBRARIES mx)
file(GLOB queue_tests CONFIGURE_DEPENDS intake/*_test.cc
     walk/*_test.cc)
penstock_test(queue_test SOURCES ${queue_tests} LIBRARIES queue)
file(GLOB uv_tests CONFIGURE_DEPENDS uv/*_test.cc)
penstock_test(uv_test SOURCES ${uv_tests} LIBRARIES uv)
'''
THREAD = "std::thread work([] {});\n"
BAD = [
    {"tests/mx/dns/a_test.cc": THREAD},
    {"tests/walk/a_test.cc": '#include "tests/walk/rig.h"\n', "tests/walk/rig.h": THREAD},
    {"tests/walk/a_test.cc": '#include "tests/walk/rig.h"\n', "tests/walk/rig.h": '#include "dkim/pool.h"\n', "dkim/pool.h": "",
     "dkim/pool.cc": THREAD},
    {"tests/walk/a_test.cc": '#include "admin/server.h"\n', "admin/server.h": "", "admin/server.cc": "MHD_start_daemon(0);\n"},
]
GOOD = [
    {"tests/uv/a_test.cc": THREAD},
    {"tests/intake/a_test.cc": THREAD},
    {"tests/walk/a_test.cc": "std::this_thread::sleep_for(one);\nstd::thread::id it;\n"},
    # The program's own parts may use one that has a thread; who only knows its types starts none.
    {"tests/walk/a_test.cc": '#include "walk/part.h"\n', "walk/part.h": '#include "dkim/pool.h"\n', "dkim/pool.h": THREAD},
]


def self_test():
    for wanted, cases in ((1, BAD), (0, GOOD)):
        for files in cases:
            with checks.tree_of({"tests/CMakeLists.txt": LISTS} | files) as root:
                found = list(breaches(root))
                if len(found) != wanted:
                    raise SystemExit(f"self-test: {files} gave {found}")
    print(f"self-test: {len(BAD)} tests with threads found, {len(GOOD)} without left alone")


if __name__ == "__main__":
    checks.run("threaded_tests", breaches, self_test, "the thread sanitizer sees each test that starts a thread")
