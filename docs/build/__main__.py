"""The documentation as a site of plain files, for a server or for a browser alone.

    python docs/build site

Sources are the Markdown files in docs/, in the order of `nav.toml`. The reference of commands and of
Python, and the pages of results, are made here of what they are about, so that they cannot be out of
date; nothing made is kept in docs/. A page without a place in `nav.toml`, a broken link and any other
warning of Sphinx's end the build.
"""

import argparse
import posixpath
import sys
import tempfile
import tomllib
from pathlib import Path

import api
import commands
import links
from sphinx.cmd.build import build_main

import results

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def main() -> int:
    """Build the site; Sphinx's exit code, 0 where nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python docs/build", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the site's folder")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        sources = stage(ROOT, place)
        return build_main(
            ["-b", "html", "-q", "-W", "--keep-going", "-c", str(HERE), "-d", str(place / "trees"),
             str(sources), str(out)]
        )  # fmt: skip


def stage(root: Path, place: Path) -> Path:
    """All sources of the site, written and made, in `place`/docs, which is given back.

    What else lies in the repository lies beside them there, as links, so that a page's link to a recipe
    means there what it means in the repository.
    """
    written = {
        path.relative_to(root).as_posix(): path.relative_to(root / "docs").as_posix()
        for path in sorted((root / "docs").rglob("*.md"))
    }
    found = {
        path.relative_to(root).as_posix(): f"results/{path.name}"
        for path in sorted((root / "benchmarks" / "results").glob("*.md"))
    }
    made = {**commands.pages(), **api.pages(root / "src"), **results.index(root)}
    for path in root.iterdir():
        if path.name not in ("docs", ".git", ".venv", "runs", "site"):
            (place / path.name).symlink_to(path)
    sources = place / "docs"
    for source, target in {**written, **found}.items():
        text = (root / source).read_text(encoding="utf-8")
        if source in found:
            text = results.told(root, root / source, text)
        made[target] = links.moved(
            results.filled(root, source, text), source, target, {**written, **found}
        )
    nav = tomllib.loads((HERE / "nav.toml").read_text(encoding="utf-8"))
    made["index.md"] += "".join(toctree(s["pages"], s["title"]) for s in nav["section"])
    for index in [page for page in made if page.endswith("/index.md")]:
        folder = posixpath.dirname(index)
        beside = sorted(p for p in made if posixpath.dirname(p) == folder and p != index)
        made[index] += toctree([posixpath.basename(p).removesuffix(".md") for p in beside])
    for target, text in made.items():
        (sources / target).parent.mkdir(parents=True, exist_ok=True)
        (sources / target).write_text(text, encoding="utf-8")
    return sources


def toctree(pages: list[str], title: str = "") -> str:
    """Pages under each other in the site's order, as Sphinx wants it said."""
    caption = [f":caption: {title}"] if title else []
    return "\n".join(["", "```{toctree}", ":hidden:", *caption, "", *pages, "```", ""])


if __name__ == "__main__":
    sys.exit(main())
