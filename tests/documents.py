"""The project's Markdown as tests read it: fences, their marks, and the commands in them."""

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "README.es.md"]

# Stands for settings of a command shown before, so that what is required may be missing.
AND_SO_ON = "…"
# <!-- run --> or <!-- not run: why --> on the line before a fence.
_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>(?:not )?run)(?::[^\n]*)? -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"(?<!`)`(ligero [^`]+)`(?!`)", re.DOTALL)
_PARTED = {";", "&&", "||", "|", "&", "(", ")"}
_VARIABLE = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True)
class Fence:
    """A block of code. mark: "run", "not run" or "". line: where its text begins, from 1."""

    language: str
    text: str
    mark: str
    line: int

    @property
    def commands(self) -> list[str]:
        """Its lines, those that a backslash continues in one; no comments, no blank ones."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def fences(text: str, language: str) -> list[Fence]:
    """The blocks of one language, in order."""
    return [
        Fence(
            found["language"], found["text"], found["mark"] or "",
            text.count("\n", 0, found.start("text")) + 1,
        )
        for found in _FENCE.finditer(text)
        if found["language"] == language
    ]  # fmt: skip


def calls(command: str) -> Iterator[list[str]]:
    """The arguments of each call of ligero in a line of a shell, `python -m ligero` among them."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    words: list[str] = []
    for word in [*reader, ";"]:
        if word not in _PARTED:
            words.append(word)
            continue
        while words and _VARIABLE.fullmatch(words[0]):
            del words[0]
        if words[:1] == ["ligero"]:
            yield words[1:]
        elif ("-m", "ligero") in itertools.pairwise(words):
            yield words[words.index("ligero") + 1 :]
        words = []


def inline(text: str) -> list[str]:
    """What stands in backticks in running text and is a call of ligero."""
    without = _FENCE.sub("", text)
    return [" ".join(found.split()) for found in _INLINE.findall(without)]
