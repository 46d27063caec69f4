#!/usr/bin/env python3
"""Checks the plan of the code: which room may include which, where a library may be seen, how long things may be.

  check_tree.py [ROOT]     prints every breach as file:line: message; exit status 1 when there is one
  check_tree.py --self-test
"""
import re

import checks

# room -> rooms that it may include (besides itself)
ARROWS = {
    "conf": set(),
    "mx": {"conf"},
    "dkim": {"conf"},
    "bounce": {"conf"},
    "relay": {"mx", "dkim", "bounce", "conf"},
    "bench": {"relay", "mx", "dkim", "bounce", "conf"},
    "tests": {"bench", "relay", "mx", "dkim", "bounce", "conf"},
}
# The same within mx and relay. What is not named here (relay/main.cc) may include any room of its house.
INNER_ARROWS = {
    "mx/dns": set(),
    "mx/rules": set(),
    "mx/limits": {"mx/rules"},
    "relay/net": set(),
    "relay/spool": set(),
    "relay/journal": {"relay/smtp", "relay/spool"},
    "relay/log": {"relay/journal"},
    "relay/tls": {"relay/net"},
    "relay/uv": {"relay/net", "relay/tls"},
    "relay/smtp": {"relay/net", "relay/spool"},
    "relay/queue": {"relay/spool"},
    "relay/flow": {"relay/queue", "relay/smtp", "relay/net", "relay/spool", "relay/journal"},
    "relay/walk": {"relay/flow", "relay/queue", "relay/smtp", "relay/spool", "relay/journal", "relay/net"},
    "relay/quarantine": {"relay/walk", "relay/journal"},
    "relay/returns": {"relay/walk", "relay/journal", "relay/smtp", "relay/spool", "relay/net"},
    "relay/desk": {"relay/admin", "relay/walk", "relay/flow", "relay/queue", "relay/journal", "relay/spool"},
    "relay/intake": {"relay/walk", "relay/smtp", "relay/spool", "relay/net", "relay/tls"},
    "relay/admin": {"relay/spool", "relay/log"},
    "relay/host": {"relay/quarantine", "relay/returns", "relay/admin", "relay/desk", "relay/intake", "relay/walk", "relay/journal", "relay/log", "relay/net", "relay/smtp", "relay/spool", "relay/tls", "relay/uv"},
    "relay/cli": {"relay/admin", "relay/host", "relay/intake", "relay/log", "relay/spool", "relay/uv"},
}
# header -> where it may stand (a pattern on the path)
LIBRARIES = [
    (r"uv\.h", r"(tests/)?relay/uv/"),
    (r"ares.*\.h", r"((tests/)?relay/uv/|tests/fuzz/)"),
    (r"openssl/.*", r"((tests/)?(relay/tls|dkim)/|bounce/return_path_mac)"),
    (r"opendkim/.*", r"(tests/)?dkim/(opendkim_|.*_test)"),
    (r"rocksdb/.*", r"(relay/spool/rocks_|tests/relay/spool/rocks_)"),
    (r"re2/.*", r"bounce/(rule_set|reply_rule)"),
    (r"sqlite3\.h", r"(tests/)?bounce/ledger/sqlite_"),
    (r"curl/.*", r"(tests/)?relay/returns/curl_"),
    (r"gmime/.*", r"(tests/)?bounce/report/mime_"),
    (r"toml\+\+/.*|toml\.hpp", r"conf/"),
    (r"microhttpd\.h", r"(tests/)?relay/admin/"),
    (r"systemd/.*", r"relay/host/sd_"),
]
MAX_HEADER, MAX_SOURCE, MAX_FUNCTION = 150, 400, 70  # columns are clang-format's to keep
LONGER = {"conf/config.h": 200}  # one table of all keys, read from top to bottom
FORBIDDEN_WORDS = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", "no notes of unfinished work"),
    (r"^\s*//\s*(\w[\w:<>,*& ]* = .*|[\w.:>-]+\(.*\)|return .*|[\w:<>*&]+ \w+);\s*$", "commented-out code"),
    (r"\b(class|struct)\s+\w*(Manager|Helper|Util|Utils|Impl|Base)\b", "a name that says nothing"),
    (r"^\s*#\s*include\s*<(format|ranges|source_location|expected|coroutine)>", "not in both compilers"),
    (r"\bstd::(shared_mutex|recursive_mutex)\b", "locks have no place in a design that shares nothing"),
    (r"^\s*(using\s+namespace\s+std\s*;)", "using namespace std"),
    (r"\b(rand|srand)\s*\(", "conf/vocab/random.h is the only randomness"),
    (r"\b(strcpy|strcat|sprintf|gets)\s*\(", "unbounded C string function"),
    (r"\bassert\s*\(", "CHECK stays on in release, assert does not"),
    (r"\bthrow\b(?!\w)", "no exceptions in our code"),
]
# toml++ leaves no other way to survive its assertions; conf/config_parser.cc catches what is thrown.
EXCEPTED = {("conf/toml.h", "no exceptions in our code")}
# Pure rooms and files have no clock, no threads, no sockets. The keeper of the ledger is a thread.
PURE = re.compile(r"^(mx|bounce(?!/ledger/ledger_keeper)|relay/smtp|relay/queue|conf/vocab|relay/flow/(path|site_table)\b)")
IMPURE_INCLUDES = re.compile(r"<(thread|mutex|sys/socket\.h|netinet/.*|unistd\.h|poll\.h|sys/epoll\.h)>")
CLOCK = re.compile(r"\b(steady_clock|system_clock)::now\b|\bclock_gettime\s*\(|\btime\s*\(\s*(NULL|nullptr|0)\s*\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def without_text(line):
    """The line with string literals and the comment taken out."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def check_includes(path, lines):
    room = path.split("/")[0]
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match.group(2)
        first = target.split("/")[0]
        if match.group(1) == '"':
            if first not in ARROWS:
                yield number, f'"{target}": our own includes begin at the root of the source'
            elif first != room and first not in ARROWS[room]:
                yield number, f"{room} may not include {first}"
            inner, target_inner = "/".join(path.split("/")[:2]), "/".join(target.split("/")[:2])
            if inner in INNER_ARROWS and target_inner in INNER_ARROWS and inner != target_inner \
                    and inner.split("/")[0] == first and target_inner not in INNER_ARROWS[inner]:
                yield number, f"{inner} may not include {target_inner}"
            continue
        for header, place in LIBRARIES:
            if re.fullmatch(header, target) and not re.match(place, path):
                yield number, f"<{target}> is not to be seen here, only in {place}"
        if PURE.match(path) and IMPURE_INCLUDES.search(line):
            yield number, f"<{target}>: this part is pure (no sockets, no threads)"


def function_lengths(lines):
    """(first line, length) of every block at namespace or class depth that opens after a ')'."""
    begin, depth, opened_at = None, 0, None
    for number, raw in enumerate(lines, 1):
        line = re.sub(r"'(\\.|[^'\\])'", "' '", without_text(raw))
        if begin is None and re.search(r"\)[^;{}=]*\{\s*$", line) and not re.match(
                r"\s*(if|for|while|switch|else|do|namespace|extern|TEST|#)\b", line):
            begin, opened_at = number, depth
        depth += line.count("{") - line.count("}")
        if begin is not None and depth <= opened_at:
            yield begin, number - begin + 1
            begin = None


def check_text(path, lines):
    header = path.endswith(".h")
    limit = LONGER.get(path, MAX_HEADER if header else MAX_SOURCE)
    is_test = path.startswith("tests/")
    if len(lines) > limit and not is_test:
        yield limit + 1, f"{len(lines)} lines; at most {limit} in a {'header' if header else 'source'}"
    if header and "#pragma once" not in lines:
        yield 1, "#pragma once is missing"
    for number, line in enumerate(lines, 1):
        bare = without_text(line)
        for pattern, why in FORBIDDEN_WORDS:
            subject = line if pattern.startswith((r"\b(TODO", r"^\s*//", r"^\s*#")) else bare
            if re.search(pattern, subject) and (path, why) not in EXCEPTED:
                yield number, why
        if PURE.match(path) and CLOCK.search(bare) and path != "conf/vocab/time.h":
            yield number, "this part is pure: time comes as a parameter"
    if not is_test:
        for first, length in function_lengths(lines):
            if length > MAX_FUNCTION:
                yield first, f"a function of {length} lines; at most {MAX_FUNCTION}"


def breaches(root):
    for room in ARROWS:
        for file in sorted((root / room).rglob("*")):
            if file.suffix not in (".h", ".cc") or not file.is_file():
                continue
            path = file.relative_to(root).as_posix()
            lines = file.read_text(encoding="utf-8").splitlines()
            for number, message in list(check_includes(path, lines)) + list(check_text(path, lines)):
                yield f"{path}:{number}: {message}"


# What must be found, so that the check itself cannot fall silent: (file, content, part of the message).
BAD = [
    ("mx/a.cc", '#include "relay/x.h"\n', "mx may not include relay"),
    ("bounce/a.cc", '#include "mx/x.h"\n', "bounce may not include mx"),
    ("relay/smtp/a.cc", "#include <uv.h>\n", "<uv.h>"),
    ("relay/a.cc", "#include <rocksdb/db.h>\n", "<rocksdb/db.h>"),
    ("relay/a.cc", "#include <openssl/ssl.h>\n", "<openssl/ssl.h>"),
    ("mx/dns/a.cc", '#include "mx/limits/standing.h"\n', "mx/dns may not include mx/limits"),
    ("relay/queue/a.cc", '#include "relay/flow/path.h"\n', "relay/queue may not include relay/flow"),
    ("mx/a.cc", "#include <thread>\n", "pure"),
    ("relay/queue/a.cc", "auto t = std::chrono::steady_clock::now();\n", "time comes as a parameter"),
    ("conf/a.cc", "// TODO: later\n", "unfinished"),
    ("conf/a.cc", "// int old = 1;\n", "commented-out"),
    ("conf/a.cc", "class QueueManager {};\n", "says nothing"),
    ("conf/a.cc", "assert(x);\n", "CHECK"),
    ("conf/a.h", "int x;\n", "#pragma once"),
    ("conf/a.h", "#pragma once\n" + "int x;\n" * 160, "at most 150"),
    ("conf/a.cc", "int f() {\n" + "  g();\n" * 80 + "}\n", "at most 70"),
    ("conf/a.cc", '#include "x.h"\n', "root of the source"),
]
GOOD = [
    ("relay/uv/a.cc", '#include <uv.h>\n#include "mx/x.h"\nint f() {\n  return 1;\n}\n'),
    ("relay/spool/rocks_a.cc", "#include <rocksdb/db.h>\n"),
    ("conf/a.cc", '// a sentence; and more\nconst char* s = "throw assert( TODO";\n'.replace(" TODO", "")),
]


def self_test():
    for path, content, part in BAD:
        with checks.tree_of({path: content}) as root:
            found = list(breaches(root))
            if not any(part in line for line in found):
                raise SystemExit(f"self-test: {path} with {content[:40]!r} gave {found}, not '{part}'")
    for path, content in GOOD:
        with checks.tree_of({path: content}) as root:
            found = list(breaches(root))
            if found:
                raise SystemExit(f"self-test: {path} is good but gave {found}")
    print(f"self-test: {len(BAD)} breaches found, {len(GOOD)} good files left alone")


if __name__ == "__main__":
    checks.run("check_tree", breaches, self_test, "the tree keeps its plan")
