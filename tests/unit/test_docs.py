"""Documentation that is true: its commands are read by the parser, those of the tutorials are run.

What a reader types and what is run here is the same text. Three things differ, so that it takes seconds:
`ligero demo` leaves shorter files, the server listens at a free port, and the cache is a folder of this test.
"""

import contextlib
import importlib.util
import json
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from documents import AND_SO_ON, PAGES, ROOT, calls, fences, inline
from ligero import cli, config, flags
from ligero.errors import InputError

BUILD = ROOT / "docs" / "build"
# Sentences, or rows, that are kept of each of the demo's files.
KEPT = {"train": 60, "dev": 16, "test": 16}
PORT = "8123"


def module(name):
    """A part of what builds the site, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", BUILD / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


commands, links, results = module("commands"), module("links"), module("results")
PARSER = cli.parser()


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def text_of(page):
    return page.read_text(encoding="utf-8")


def read(arguments, *, whole):
    """What ligero understands of arguments; whole: whether what it requires must be there."""
    left = [word for word in arguments if word != AND_SO_ON]
    try:
        chosen = PARSER.parse_args(left)
    except SystemExit as error:  # --help and --version
        assert error.code == 0
        return
    except InputError as error:
        if not (whole and left == arguments) and "the following arguments are required" in str(
            error
        ):
            return
        raise
    if cls := commands.SETTINGS.get(chosen.verb):
        file = getattr(chosen, "config", None)
        table = config.read_toml(ROOT / file) if file and (ROOT / file).is_file() else {}
        config.build(cls, config.nest(flags.given(chosen), table))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_one_of_ligeros(page):
    for fence in fences(text_of(page), "sh"):
        for command in fence.commands:
            for arguments in calls(command):
                try:
                    read(arguments, whole=True)
                except InputError as error:
                    pytest.fail(f"{page}:{fence.line}: {command.strip()}: {error}")
    for command in inline(text_of(page)):
        # A verb in capitals stands for any.
        for arguments in calls(command):
            if not arguments[0].isupper():
                read(arguments, whole=False)


def test_what_made_results_can_be_given():
    for command in results.MADE_BY.values():
        (arguments,) = calls(command)
        read(arguments, whole=True)


def test_a_wrong_command_would_be_found():
    assert list(calls("A=b ligero tasks | head && torchrun -n 2 -m ligero pretrain --plan  # all")) == [
        ["tasks"], ["pretrain", "--plan"],
    ]  # fmt: skip
    read(["distill", AND_SO_ON, "--distill.hidden", "1"], whole=True)
    read(["export"], whole=False)
    for wrong in (
        ["export"], ["compres"], ["tasks", "--dat", "x"], ["distill", AND_SO_ON, "--hidden", "1"],
        ["finetune", "mi", "--epochs", "many"], ["serve", "x", "--port", "70000"],
    ):  # fmt: skip
        with pytest.raises(InputError):
            read(wrong, whole=True)


def short(folder):
    """The demo's files with a few of their sentences."""
    for split, count in KEPT.items():
        for file, end in ((f"{split}.conll", "\n\n"), (f"topics-{split}.tsv", "\n")):
            sentences = text_of(folder / file).split(end)[:count]
            (folder / file).write_text(end.join([*sentences, ""]), encoding="utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch, one_thread):
    """An empty folder to walk through a page in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGERO_CACHE", str(tmp_path / "cache"))
    return tmp_path


def served(command, stack):
    """Start a server as a page says; ready when this returns, gone with `stack`."""
    process = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command)], stdout=subprocess.PIPE, text=True
    )
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    assert any(line.startswith("ready: ") for line in process.stdout), command


def walk(page):
    """Do all that a page says, in its order, in the present folder; what its other programs printed."""
    text = text_of(page)
    blocks = [*fences(text, "sh"), *(f for f in fences(text, "python") if f.mark == "run")]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    printed = []
    with contextlib.ExitStack() as stack:
        for block in sorted(blocks, key=lambda block: block.line):
            if block.mark == "not run":
                continue
            if block.language == "python":
                exec(compile(block.text, str(page), "exec"), {})
                continue
            for command in (line.replace(PORT, port) for line in block.commands):
                if command.startswith("ligero serve "):
                    served(command, stack)
                elif command.startswith("ligero "):
                    (arguments,) = calls(command)
                    assert cli.main(arguments) == 0, command
                    if arguments[0] == "demo":
                        short(Path(arguments[1]))
                else:
                    done = subprocess.run(
                        ["bash", "-c", command], capture_output=True, text=True, check=True
                    )
                    printed.append(done.stdout)
    return printed


def test_the_road_can_be_gone(place, capsys):
    printed = walk(ROOT / "docs" / "tutorial.md")
    *_, found, ready = printed
    assert isinstance(json.loads(found)["found"], list)
    assert json.loads(ready) == {"status": "ready"}
    for left in (
        "corpus/manifest.json", "vocab/tokenizer.json", "shards/manifest.json", "runs/mine/manifest.json",
        "runs/student/manifest.json", "runs/student/export/manifest.json", "runs/report/index.html",
        "to-push/README.md",
    ):  # fmt: skip
        assert (place / left).is_file(), left
    assert list((place / "predicted").iterdir())
    assert "runs/student/export" in capsys.readouterr().out


def test_a_model_of_ones_own_can_be_made(place, capsys):
    walk(ROOT / "docs" / "howto" / "ner.md")
    told = json.loads(text_of(place / "runs" / "ner" / "results.json"))
    assert set(told["models"]) == {"teacher", "student-alone", "student"}
    assert {"difference", "interval", "better"} <= told["gain"].keys()
    assert (place / "runs" / "ner" / "export" / "manifest.json").is_file()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_is_python(page):
    for fence in fences(text_of(page), "python"):
        compile(fence.text, f"{page}:{fence.line}", "exec")


def anchors(page):
    """What GitHub calls a page's headings, and anchors of its own."""
    plain = "".join(
        piece for is_prose, piece in links.prose(text_of(page)) if is_prose or "\n" not in piece
    )
    headings = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(links.ANCHOR.findall(plain))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in links.targets(text_of(page)):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{name_of(page)}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{name_of(page)}: {target}"


# A name in capitals (TASK, NAME) or in braces stands for any.
_PATH = re.compile(
    r"(?<![\w/.~-])((?:src|tests|docs|recipes|benchmarks|deploy)/[\w./-]*\w/?)(?![\w{*-])"
)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_are_there(page):
    for path in _PATH.findall(text_of(page)):
        if not re.search(r"\b[A-Z]{3,}\b", path.replace("README", "")):
            assert (ROOT / path).exists(), f"{name_of(page)}: {path}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_tables_are_those_of_results(page):
    text = text_of(page)
    shown = results.filled(ROOT, name_of(page), text)
    assert not results.TABLE.search(shown) and shown.count("*Table ") == len(
        results.TABLE.findall(text)
    )
    for link, number, _ in results.TABLE.findall(text):
        file = page.parent / link
        first = results.tables(text_of(file))[int(number) - 1].splitlines()[2]
        assert first.split("|")[1] in shown


def test_columns_of_a_table():
    table = "| a | b | c |\n| --- | ---: | --- |\n| 1 | 2 | 3 |"
    assert results.columns(table, []) == table
    assert results.columns(table, [3, 1]) == "| c | a |\n| --- | --- |\n| 3 | 1 |"


def test_a_moved_page_keeps_its_links():
    text = '<a id="j"></a>\n[a](b.md#c) [d](../recipes/e.toml) `[f](g.md)` [h](https://i.example)\n'
    assert links.targets(text) == ["b.md#c", "../recipes/e.toml"]
    moved = links.moved(text, "docs/x.md", "y/x.md", {"docs/b.md": "z/b.md"})
    assert moved == (
        "(j)=\n[a](../z/b.md#c) [d](../../recipes/e.toml) `[f](g.md)` [h](https://i.example)\n"
    )
