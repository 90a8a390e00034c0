"""The reference of Python, made of signatures and docstrings, without importing what it describes."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

# What others may build on, in the order of the road. Everything else may change without notice.
PUBLIC = {
    "Use a model": (
        "ligero.runtime", "ligero.serve", "ligero.predict", "ligero.evaluate", "ligero.reader",
    ),
    "Train": (
        "ligero.compress", "ligero.config", "ligero.settings", "ligero.train.trained",
        "ligero.train.loop", "ligero.pretrain.stage", "ligero.search.rounds", "ligero.search.drive",
    ),
    "Export, measure, share": (
        "ligero.export.build", "ligero.export.gate", "ligero.measure.bench", "ligero.measure.cost",
        "ligero.measure.latency", "ligero.share.push", "ligero.share.pull",
    ),
    "Data": (
        "ligero.check", "ligero.tasks.source", "ligero.tasks.example", "ligero.tasks.formats",
        "ligero.tasks.words", "ligero.tasks.metrics", "ligero.corpus.build", "ligero.corpus.shards",
        "ligero.vocab", "ligero.demo",
    ),
    "Models, folders, jobs": (
        "ligero.models.reference", "ligero.models.catalog", "ligero.models.build", "ligero.runs",
        "ligero.jobs", "ligero.cluster", "ligero.store", "ligero.errors",
    ),
}  # fmt: skip

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def pages(source: Path) -> dict[str, str]:
    """Place among the sources -> Markdown: an index, and a page for each public module.

    source: the folder in which the package lies.
    """
    lines = [
        "# Python", "",
        "Made of the code's own signatures and docstrings. Modules that are not here, and names with a",
        "leading underscore, may change without notice.", "",
    ]  # fmt: skip
    made = {}
    for title, names in PUBLIC.items():
        lines += [f"## {title}", "", "| module | |", "| --- | --- |"]
        for name in names:
            tree = _tree(source, name)
            about = (ast.get_docstring(tree) or "").partition("\n")[0]
            lines.append(f"| [`{name}`]({name}.md) | {_prose(about)} |".replace("\n", " "))
            made[f"reference/api/{name}.md"] = _page(source, name, tree)
        lines.append("")
    return {**made, "reference/api/index.md": "\n".join(lines)}


def _file(source: Path, module: str) -> Path:
    place = source.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _tree(source: Path, module: str) -> ast.Module:
    return ast.parse(_file(source, module).read_text(encoding="utf-8"))


def _page(source: Path, module: str, tree: ast.Module) -> str:
    lines = [f"# {module}", "", _text(tree), ""]
    for node in _public(source, tree):
        lines += _entry(node, "##")
        if isinstance(node, ast.ClassDef):
            for method in _methods(node):
                lines += _entry(method, "###", node.name)
    return "\n".join(lines)


def _public(source: Path, tree: ast.Module) -> Iterator[Definition]:
    """What a module offers: its own definitions, and those of others that it offers by name."""
    own = [node for node in tree.body if isinstance(node, Definition)]
    yield from (node for node in own if not node.name.startswith("_"))
    offered = _offered(tree)
    # By module and name: what is imported twice, for a type and when it is called, is one thing.
    others: dict[tuple[str, str], Definition] = {}
    for node in ast.walk(tree):
        module = str(node.module) if isinstance(node, ast.ImportFrom) else ""
        if module.startswith("ligero.") and _file(source, module).is_file():
            names = {alias.name for alias in node.names} & offered  # type: ignore[attr-defined]
            there = [n for n in _tree(source, module).body if isinstance(n, Definition)]
            others |= {(module, n.name): n for n in there if n.name in names}
    yield from others.values()


def _offered(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return set(ast.literal_eval(node.value))
    return set()


def _methods(node: ast.ClassDef) -> Iterator[Definition]:
    for inner in node.body:
        if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = {ast.unparse(mark).rpartition(".")[2] for mark in inner.decorator_list}
        called = inner.name in ("__init__", "__call__")
        if "overload" not in marks and (called or not inner.name.startswith("_")):
            yield inner


def _entry(node: Definition, level: str, of: str = "") -> list[str]:
    name = f"{of}.{node.name}" if of else node.name
    if node.name == "__init__":
        name = f"{of}(…)"
    signature = _signature(node, of)
    return [f"{level} {name.replace('__', chr(92) + '_' + chr(92) + '_')}", "",
            "```python", signature, "```", "", _text(node), ""]  # fmt: skip


def _signature(node: Definition, of: str) -> str:
    """The head of a definition, as it stands in the code, with decorators that change what it is."""
    marks = [f"@{ast.unparse(mark)}\n" for mark in node.decorator_list]
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        head = f"class {node.name}({bases}):" if bases else f"class {node.name}:"
        fields = [
            ast.unparse(inner) for inner in node.body if isinstance(inner, ast.AnnAssign)
        ] if marks else []  # fmt: skip
        return "".join(marks) + "\n    ".join([head, *fields]).removesuffix(":")
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    plain = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    arguments = ast.unparse(node.args)
    head = f"{plain} {node.name}({arguments}){returns}"
    if len(head) > 88:
        head = f"{plain} {node.name}(\n    {_parted(node.args)},\n){returns}"
    return "".join(marks) + head


def _parted(arguments: ast.arguments) -> str:
    """One argument a line: a list in brackets, cut at the commas that no bracket encloses."""
    depth, parts = 0, [""]
    for sign in ast.unparse(arguments):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return ",\n    ".join(part.strip() for part in parts)


def _text(node: ast.Module | Definition) -> str:
    """A docstring as Markdown; a line that begins with arguments' names becomes a point of a list."""
    names = _names(node)
    blocks = re.split(r"\n\s*\n", ast.get_docstring(node) or "")
    return "\n\n".join(_block(block, names) for block in blocks)


def _names(node: ast.Module | Definition) -> set[str]:
    """What a docstring may tell of by name: arguments, and a class's fields and its maker's arguments."""
    if isinstance(node, ast.Module):
        return set()
    if isinstance(node, ast.ClassDef):
        fields = {ast.unparse(n.target) for n in node.body if isinstance(n, ast.AnnAssign)}
        makers = [n for n in _methods(node) if n.name == "__init__"]
        return fields.union(*map(_names, makers))
    every = (node.args.posonlyargs, node.args.args, node.args.kwonlyargs)
    others = (node.args.vararg, node.args.kwarg)
    return {arg.arg for args in every for arg in args} | {arg.arg for arg in others if arg}


def _block(block: str, names: set[str]) -> str:
    if block.startswith("    ") or re.search(r"^\s{4,}\S.*(?:->|  )", block, re.MULTILINE):
        return f"```text\n{textwrap.dedent(block)}\n```"
    lines: list[str] = []
    for line in block.splitlines():
        named, colon, rest = line.partition(": ")
        told = [name.strip() for name in named.split(",")]
        if colon and set(told) <= names:
            line = f"- {', '.join(f'`{name}`' for name in told)}: {rest}"
            if lines and not lines[-1].startswith(("- ", " ")):
                lines.append("")
        lines.append(line)
    return _prose("\n".join(lines))


def _prose(text: str) -> str:
    """Text in which only backticks and a word in asterisks mean anything to Markdown."""
    pieces = re.split(r"(`[^`]*`|\*\w+\*)", text)
    return "".join(
        piece if number % 2 else re.sub(r"([*_<\[\]|{}])", r"\\\1", piece)
        for number, piece in enumerate(pieces)
    )
