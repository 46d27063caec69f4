#!/usr/bin/env python3
"""Every link of the pages leads somewhere, and every file that they name is there.

usage: dead_links.py [ROOT]"""
import pathlib
import re
import sys
import tempfile

ROOTS = ("bench", "bounce", "conf", "dkim", "docs", "mx", "packaging", "relay", "scripts", "tests")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(rf"`(?:\./)?((?:{'|'.join(ROOTS)})/[\w./*-]+)[^`]*`")


def anchors(page):
    """What a `#` may name: headings, in small letters, with hyphens for spaces and without marks."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(root, name):
    """A file, a folder, a mask that some match, or a source without its ending."""
    return any(root.glob(name)) or any(root.glob(name + ".*"))


def faults(root):
    pages = [*root.glob("*.md"), *(page for part in ROOTS for page in (root / part).rglob("*.md"))]
    for page in sorted(pages):
        for number, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1):
            place = f"{page.relative_to(root)}:{number}"
            for target in LINK.findall(line):
                if re.match(r"\w+:", target):
                    continue
                file, _, anchor = target.partition("#")
                there = page.parent / file if file else page
                if not there.exists():
                    yield f"{place}: {target}: there is no such file"
                elif anchor and anchor not in anchors(there):
                    yield f"{place}: {target}: there is no such heading"
            for name in NAMED.findall(line):
                if page.name != "CHANGELOG.md" and not is_there(root, name.rstrip("./")):
                    yield f"{place}: {name}: there is no such file"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "docs/other.md").write_text("# A `key`: what, and why\n")
        good = "[a](docs/other.md#a-key-what-and-why) [b](https://example.com/x) `docs/other.md` `docs/other` [c](#top)\n"
        (root / "page.md").write_text("# Top\n" + good)
        if list(faults(root)):
            sys.exit(f"dead_links: good links are taken for dead ones: {list(faults(root))}")
        for bad in ("[a](docs/none.md)", "[a](docs/other.md#none)", "[a](#none)", "`docs/none.md`"):
            (root / "page.md").write_text("# Top\n" + bad)
            if len(list(faults(root))) != 1:
                sys.exit(f"dead_links: {bad} should be a fault")


def main():
    self_test()
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = list(faults(root))
    print("\n".join(found) or "dead links: none")
    sys.exit(1 if found else 0)


main()
