"""Figures on pages, taken from benchmarks/results when the site is built, with what made them."""

import ast
import posixpath
import re
from pathlib import Path

# In a page: [FILE](LINK) <!-- table 1 --> on a line of its own stands for the file's first table, and is a
# link where the page is read elsewhere. Further numbers are the columns that are shown; without any, all.
TABLE = re.compile(r"^\[[^\]]+\]\((\S+)\) <!-- table (\d+)((?: \d+)*) -->$", re.MULTILINE)
_ROWS = re.compile(r"(?:^\|.*\n?)+", re.MULTILINE)

# Results that no script of their own name made.
MADE_BY = {
    "glues-small": "LIGERO_DATA=DIR ligero suite recipes/glues-small.toml",
    "papers-speedy-6-small": "LIGERO_DATA=DIR ligero papers recipes/glues/speedy-table-6.toml --scale small",
}


def tables(text: str) -> list[str]:
    """The tables of a Markdown text, in order."""
    return [found.strip() for found in _ROWS.findall(text)]


def columns(table: str, chosen: list[int]) -> str:
    """A table with some of its columns, from 1; with all of them where none is chosen."""
    if not chosen:
        return table
    rows = [line.strip().split("|")[1:-1] for line in table.splitlines()]
    return "\n".join(f"|{'|'.join(row[column - 1] for column in chosen)}|" for row in rows)


def filled(root: Path, source: str, text: str) -> str:
    """The text of a page with a table wherever one is asked for, and under it the file it is from.

    source: the page, as a file of the repository.
    """

    def table(match: re.Match[str]) -> str:
        link, number = match[1], int(match[2])
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        found = tables((root / file).read_text(encoding="utf-8"))[number - 1]
        shown = columns(found, [int(column) for column in match[3].split()])
        return f"{shown}\n\n*Table {number} of [{file}]({link}){_by(root, Path(file).stem)}.*"

    return TABLE.sub(table, text)


def script(root: Path, name: str) -> Path | None:
    """The script in benchmarks/ that made the results of this name: the one whose name they begin with."""
    scripts = sorted((root / "benchmarks").glob("*.py"), key=lambda path: -len(path.stem))
    plain = name.replace("-", "_")
    return next((s for s in scripts if plain == s.stem or plain.startswith(f"{s.stem}_")), None)


def _by(root: Path, name: str) -> str:
    """What made the results of a name, for the end of a sentence; nothing where that is not known."""
    maker = script(root, name)
    made = MADE_BY.get(name) or (maker.relative_to(root).as_posix() if maker else "")
    return f", made by `{made}`" if made else ""


def told(root: Path, file: Path, text: str) -> str:
    """A page of results with what made it under its title, and a title where it has none."""
    title, _, rest = text.partition("\n")
    maker = script(root, file.stem)
    if file.stem in MADE_BY:
        how = f"```sh\n{MADE_BY[file.stem]}\n```"
    elif maker is not None:
        about = ast.get_docstring(ast.parse(maker.read_text(encoding="utf-8"))) or ""
        name = maker.relative_to(root).as_posix()
        how = f"[{name}](../{maker.name}):\n\n{about}"
    else:
        how = "No script in `benchmarks/` has its name; the page itself says what it is of."
    return (
        f"# {title.lstrip('# ')}\n\n<details>\n<summary>How this was made</summary>\n\n{how}\n\n"
        f"</details>\n{rest}"
    )


def index(root: Path) -> dict[str, str]:
    """The page that lists all results: place -> Markdown."""
    lines = [
        "# Results", "",
        "Every page here is a file of `benchmarks/results`, as it was when this site was built, with the",
        "script or command that made it. Figures that stand on other pages are taken from these.", "",
        "| result | made by |", "| --- | --- |",
    ]  # fmt: skip
    for path in sorted((root / "benchmarks" / "results").glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        by = _by(root, path.stem).removeprefix(", made by ")
        lines.append(f"| [{title}]({path.name}) | {by} |")
    return {"results/index.md": "\n".join([*lines, ""])}
