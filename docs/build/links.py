"""Links between Markdown files, as they are and as they must be where a file is moved."""

import posixpath
import re
from collections.abc import Iterator, Mapping

# [text](target), ![text](target); not what stands in a fence or in backticks.
_LINK = re.compile(r"(\]\()([^()\s]+)(\))")
# An anchor that is no heading's, as GitHub reads it.
ANCHOR = re.compile(r'^<a id="([\w-]+)"></a>$', re.MULTILINE)
_CODE = re.compile(r"^(```|~~~).*?^\1[ \t]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def prose(text: str) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is prose (True) or code (False), in order."""
    at = 0
    for match in _CODE.finditer(text):
        yield True, text[at : match.start()]
        yield False, match[0]
        at = match.end()
    yield True, text[at:]


def targets(text: str) -> list[str]:
    """Where the links of a Markdown text lead, addresses on the net left out."""
    # A link's text may hold code, so that no piece of prose holds the whole link.
    whole = "".join(piece if is_prose else "" for is_prose, piece in prose(text))
    return [target for _, target, _ in _LINK.findall(whole) if "://" not in target]


def moved(text: str, source: str, target: str, pages: Mapping[str, str]) -> str:
    """The text with links that lead from `target` to where they led from `source`.

    source: a file of the repository. target: its place among the site's sources, which lie in docs/.
    pages: file of the repository -> its page, for all that the site shows.
    """

    def replaced(match: re.Match[str]) -> str:
        path, mark, anchor = match[2].partition("#")
        if "://" in path or not path:
            return match[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        page = pages.get(there)
        there = f"docs/{page}" if page else there
        leads = posixpath.relpath(there, posixpath.dirname(f"docs/{target}"))
        return f"{match[1]}{leads}{mark}{anchor}{match[3]}"

    # MyST knows anchors of its own writing alone.
    return "".join(
        ANCHOR.sub(r"(\1)=", _LINK.sub(replaced, piece)) if is_prose else piece
        for is_prose, piece in prose(text)
    )
