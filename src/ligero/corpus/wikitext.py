"""Wikitext -> plain text, by its common constructs, many pages at once.

Templates are not expanded (their text is on other pages), but for a few that print what they are
given. A page of the Spanish Wikipedia keeps its prose, headings and lists; tables, boxes, files,
references and categories go. Parsers of the whole language (mwparserfromhell) read a page in Python
and are built to edit it; here every construct is one pass of Rust's `regex` over a column.
"""

import polars as pl

# Removed or replaced before anything that nests.
_FIRST = (
    (r"(?s)<!--.*?-->", ""),
    (r"(?is)<ref\b[^>/]*/>", ""),
    (r"(?is)<ref\b[^>]*>.*?</ref>", ""),
    (r"(?is)<(?:gallery|timeline|imagemap|score|graph|syntaxhighlight|source|pre)\b[^>]*>.*?"
     r"</(?:gallery|timeline|imagemap|score|graph|syntaxhighlight|source|pre)>", ""),
    (r"(?is)<(?:math|chem|hiero)\b[^>]*>.*?</(?:math|chem|hiero)>", ""),
    (r"(?i)</?nowiki\s*/?>", ""),
    (r"__[A-ZÁÉÍÓÚÑ]+__", ""),
)  # fmt: skip

# What nests, from the innermost outwards, until nothing changes.
_NESTED = (
    # Templates that print their parameters: {{unidad|3|km}}, {{formatnum:1234}}, {{lang|en|word}}.
    (r"(?i)\{\{\s*(?:unidad|esd)\s*\|([^{}|]*)\|?([^{}|]*)(?:\|[^{}]*)?\}\}", "$1 $2"),
    (r"(?i)\{\{\s*formatnum\s*:([^{}|]*)(?:\|[^{}]*)?\}\}", "$1"),
    (r"(?i)\{\{\s*(?:lang|idioma)\s*\|[^{}|]*\|([^{}|]*)(?:\|[^{}]*)?\}\}", "$1"),
    (r"(?i)\{\{\s*(?:cita|nowrap|sc|versalita|siglo)\s*\|([^{}|]*)(?:\|[^{}]*)?\}\}", "$1"),
    (r"\{\{[^{}]*\}\}", ""),
    (r"(?s)\{\|[^{}]*?\|\}", ""),
    (r"(?i)\[\[\s*(?:archivo|imagen|file|image|categoría|category|anexo discusión)\s*:[^\[\]]*\]\]", ""),
    # Links to the same page in other languages and projects.
    (r"\[\[\s*:?[a-z]{2,3}(?:-[a-z]+)?\s*:[^\[\]|]*\]\]", ""),
    (r"\[\[[^\[\]|]*\|([^\[\]|]*)\]\]", "$1"),
    (r"\[\[([^\[\]|]*)\]\]", "$1"),
)  # fmt: skip
_DEPTH = 12  # deeper boxes are left to the rules of `clean`

_LAST = (
    (r"\[(?:https?|ftp)://[^\s\]]*\s+([^\]]*)\]", "$1"),
    (r"\[(?:https?|ftp)://[^\s\]]*\]", ""),
    (r"'{2,5}", ""),
    (r"(?m)^\s*=+\s*([^=\n]+?)\s*=+\s*$", "$1"),
    (r"(?m)^[*#:;]+\s*", ""),
    (r"(?m)^\s*(?:\{\||\|[-+}]?|!).*$", ""),
    (r"[ \t]+(\n|$)", "$1"),
    (r"\n{2,}", "\n"),
)  # fmt: skip


def plain(pages: pl.Series) -> pl.Series:
    """The plain text of each page of wikitext; strings, as long as `pages`."""
    for pattern, put in _FIRST:
        pages = pages.str.replace_all(pattern, put)
    for _ in range(_DEPTH):
        before = pages
        for pattern, put in _NESTED:
            pages = pages.str.replace_all(pattern, put)
        if pages.equals(before):
            break
    for pattern, put in _LAST:
        pages = pages.str.replace_all(pattern, put)
    return pages.str.strip_chars()
