"""The rules of the house: imports point down the road, and the light parts stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ligero

SOURCE = Path(ligero.__file__).parent

# Each room may import those further right, and itself.
ROAD = {
    "cli": 0, "__main__": 0,
    "search": 1, "pretrain": 1, "suite": 1, "compress": 1, "export": 1, "evaluate": 1, "predict": 1,
    "demo": 1, "reader": 1, "serve": 1, "share": 1,
    "check": 2, "report": 2, "train": 2,
    "corpus": 2, "measure": 2, "papers": 2, "runtime": 2,
    "tasks": 3, "models": 3,
    "vocab": 4, "vocab/make": 2, "vocab/verbs": 2,
    "cluster": 4, "flags": 4, "store": 4,
    "config": 5, "settings": 6, "hub": 5, "jobs": 5, "runs": 5,
    "bars": 6, "errors": 6, "machine": 6,
    "__init__": 7,
}  # fmt: skip
HEAVY = {"torch", "transformers", "safetensors", "huggingface_hub"}
LIGHT = ("check", "cli", "config", "runs", "errors", "tasks", "demo", "report", "vocab",
         "measure", "papers", "serve")  # fmt: skip
# Import the hub's library when a file is fetched, or torch when a model is opened, and only then:
# see the last test.
LAZY = ("remote.py", "tokens.py", "candidates.py")


def room_of(parts):
    """The room of a module: its package's, or its own where ROAD has one for it."""
    own = "/".join(parts[:2])
    return own if own in ROAD else parts[0]


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        room = room_of(path.relative_to(SOURCE).with_suffix("").parts)
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        yield path.relative_to(SOURCE), room, names


def test_imports_point_down_the_road():
    wrong = []
    for path, room, names in modules():
        for name in names:
            parts = name.split(".")
            if (
                parts[0] == "ligero"
                and len(parts) > 1
                and parts[1] in ROAD
                and ROAD[room_of(parts[1:])] < ROAD[room]
            ):
                wrong.append(f"{path} imports {name}")
    assert not wrong, wrong


def test_light_rooms_import_nothing_heavy():
    wrong = [
        f"{path}: {name}"
        for path, room, names in modules()
        if (room.split("/")[0] in LIGHT or path.name in ("catalog.py", "reference.py"))
        and path.name not in LAZY
        for name in names
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong, wrong


def test_nothing_is_unpickled_and_no_remote_code_is_run():
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not names & {
                    "pickle",
                    "joblib",
                    "dill",
                    "cloudpickle",
                    "marshal",
                    "shelve",
                }, path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("torch", "load"), path
            if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert isinstance(node.value, ast.Constant) and node.value.value is False, path


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], ["compress", "--help"], ["bench", "--help"], ["tasks"], ["models"],
        ["bench", "--cost", "albeto-tiny"],
    ],
)  # fmt: skip
def test_light_verbs_load_nothing_heavy(arguments):
    code = (
        "import sys\nfrom ligero.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"
    assert run.stdout
