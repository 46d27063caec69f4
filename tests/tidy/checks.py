"""What the checks of the tree have in common."""
import contextlib
import pathlib
import sys
import tempfile


@contextlib.contextmanager
def tree_of(files):
    """A folder with these files: path -> content. Gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        for path, content in files.items():
            file = pathlib.Path(place) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        yield pathlib.Path(place)


def run(name, breaches, self_test, good):
    """NAME [ROOT | --self-test]: prints each breach and ends with 1, or says what is `good`."""
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    found = list(breaches(root))
    for line in found:
        print(line)
    if found:
        print(f"{name}: {len(found)} breaches")
        sys.exit(1)
    print(f"{name}: {good}")
