"""The page of a paper's table for a terminal, in Markdown, in LaTeX and in HTML."""

import html as escaping
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ligero.report.papers import Head, Line, Sheet, Shown

T = TypeVar("T")

# How a figure is drawn on a terminal, by its kind; the sign of a difference says what colour does.
STYLES = {"paper": "dim", "better": "blue", "worse": "yellow", "none": "dim"}


def terminal(sheet: Sheet) -> Group:
    """For a terminal: a table of rich for each section, and the lines around them."""
    before = [f"{sheet.source}: {sheet.title}", *warned(sheet), *groups(sheet)]
    parts: list[Text | Table] = [Text(text) for text in before]
    for heading, lines in sheet.sections:
        parts += [Text(f"\n {heading}" if heading else "", style="italic"), _grid(sheet, lines)]
    return Group(*parts, "", *map(Text, sheet.notes))


def _grid(sheet: Sheet, lines: Sequence[Line]) -> Table:
    """One section, as wide in each column as all of them are."""
    every = [line for _, some in sheet.sections for line in some]
    texts = [(*line.labels, *(shown.text for shown in line.cells)) for line in every]
    table = Table(header_style="bold", box=None)
    for number, (text, column) in enumerate(
        zip(columns(sheet), zip(*texts, strict=True), strict=True)
    ):
        figures, width = number >= sheet.labels, max(map(len, column))
        # As text: a bracket in a name is a bracket.
        table.add_column(
            Text(text), justify="right" if figures else "left", no_wrap=not figures,
            min_width=0 if figures else width, width=None if figures else width,
        )  # fmt: skip
    for line in lines:
        table.add_row(*map(Text, line.labels), *map(_styled, line.cells))
    return table


def warned(sheet: Sheet) -> list[str]:
    """What must be read first, where there is anything."""
    return [sheet.warning] if sheet.warning else []


def _styled(shown: Shown) -> Text:
    style = STYLES.get(shown.kind, "")
    return Text(shown.text, style=f"{style} bold" if shown.best else style)


def columns(sheet: Sheet) -> list[str]:
    """One heading for each column, where headings cannot span several.

    What stands over others is left out, and said by `groups`, where a heading is clear without it.
    """
    spread = [[head.text for head in heads for _ in range(head.span)] for heads in sheet.heads]
    alone = [" ".join(above).strip() for above in zip(*_below(sheet, spread), strict=True)]
    if len(spread) == len(_below(sheet, spread)):
        return alone
    return [
        text if not text or alone.count(text) == 1 else f"{over.split(': ')[-1]} {text}"
        for over, text in zip(spread[0], alone, strict=True)
    ]


def groups(sheet: Sheet) -> list[str]:
    """What stands over several columns, each with what it stands over."""
    if len(sheet.heads) == len(_below(sheet, sheet.heads)):
        return []
    under = [head for head in sheet.heads[1] for _ in range(head.span)]
    said, at = [], 0
    for head in sheet.heads[0]:
        below = dict.fromkeys(h.text for h in under[at : at + head.span])
        said += [f"{head.text}: {', '.join(below)}."] if head.text and ":" not in head.text else []
        at += head.span
    return said


def _below(sheet: Sheet, heads: Sequence[T]) -> Sequence[T]:
    """Lines of headings without the one over groups of columns."""
    return heads[-(2 if sheet.labels == 1 else 1) :]


def markdown(sheet: Sheet) -> str:
    """In Markdown, with its own heading."""
    said = columns(sheet)
    rule = ["---"] * sheet.labels + ["---:"] * (len(said) - sheet.labels)
    rows = [[in_markdown(text) for text in said], rule]
    for section, lines in sheet.sections:
        if section:
            rows.append([f"*{in_markdown(section)}*", *[""] * (len(said) - 1)])
        rows += [_marked(line, in_markdown, "**{}**") for line in lines]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    heading = in_markdown(f"{sheet.source}: {sheet.title}")
    before = [f"**{in_markdown(text)}**" for text in warned(sheet)]
    before += [in_markdown(" ".join(groups(sheet)))] if groups(sheet) else []
    notes = "\n".join(f"- {in_markdown(note)}" for note in sheet.notes)
    return "\n\n".join((f"## {heading}", *before, table, notes)) + "\n"


def in_markdown(text: str) -> str:
    """A text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_\[\]<>|~&#])", r"\\\1", " ".join(text.split()))


def _marked(line: Line, escape: Callable[[str], str], bold: str) -> list[str]:
    """A line's texts, escaped, the best of them marked."""
    cells = [
        bold.format(escape(shown.text)) if shown.best else escape(shown.text)
        for shown in line.cells
    ]
    return [*map(escape, line.labels), *cells]


def latex(sheet: Sheet) -> str:
    """In LaTeX, a floating table; its document needs booktabs, and graphicx where it is wide."""
    width = sheet.labels + sum(head.span for head in sheet.heads[0][sheet.labels :])
    body = [r"\toprule", *_latex_heads(sheet), r"\midrule"]
    for number, (section, lines) in enumerate(sheet.sections):
        if number:
            body.append(r"\midrule")
        if section:
            body.append(rf"\multicolumn{{{width}}}{{l}}{{\emph{{{in_latex(section)}}}}} \\")
        for line in lines:
            if sheet.labels > 1 and line.first and line is not lines[0]:
                body.append(r"\addlinespace")
            body.append(" & ".join(_marked(line, in_latex, r"\textbf{{{}}}")) + r" \\")
    table = "\n".join((*body, r"\bottomrule"))
    form = "l" * sheet.labels + "r" * (width - sheet.labels)
    notes = "\n\n".join(map(in_latex, (*warned(sheet), *sheet.notes)))
    return _LATEX.format(
        caption=in_latex(f"{sheet.source}: {sheet.title}"), label=f"tab:{sheet.name}",
        form=form, table=table, notes=notes,
    )  # fmt: skip


def _latex_heads(sheet: Sheet) -> list[str]:
    """Headings, with a rule under each that spans several columns."""
    lines = []
    for heads in sheet.heads:
        lines.append(" & ".join(map(_latex_head, heads)) + r" \\")
        at, rules = 1, []
        for head in heads:
            if head.span > 1 and head.text:
                rules.append(rf"\cmidrule(lr){{{at}-{at + head.span - 1}}}")
            at += head.span
        lines += [" ".join(rules)] if rules else []
    return lines


def _latex_head(head: Head) -> str:
    text = in_latex(head.text)
    if head.span == 1 and not text:
        return ""
    return rf"\multicolumn{{{head.span}}}{{c}}{{{text}}}"


_LATEX_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "±": r"$\pm$", "–": "--",
    '"': r"\textquotedbl{}",
}  # fmt: skip


def in_latex(text: str) -> str:
    """A text that LaTeX prints as it is; a number's sign is a minus and not a hyphen.

    What its T1 fonts have no sign for becomes a question mark.
    """
    words = " ".join(text.split())
    known = (c if c.isprintable() and (c < "\u0180" or c in "–—‘’“”…") else "?" for c in words)
    escaped = "".join(_LATEX_SIGNS.get(c, c) for c in known)
    return re.sub(r"^(\(?)-(?=\d)", r"\1$-$", escaped)


_LATEX = r"""% \usepackage{{booktabs,graphicx}}, and T1 as the encoding of fonts
\begin{{table}}
\centering
\caption{{{caption}}}
\label{{{label}}}
\small
\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{%
\begin{{tabular}}{{{form}}}
{table}
\end{{tabular}}}}

\medskip
\begin{{minipage}}{{\linewidth}}\footnotesize
{notes}
\end{{minipage}}
\end{{table}}
"""


def html(sheets: Sequence[Sheet], title: str = "The papers' tables, and ours beside them") -> str:
    """One HTML page that asks for nothing outside it."""
    parts = [f"<h1>{escaping.escape(title)}</h1>"]
    if len(sheets) > 1:
        links = (
            f'<li><a href="#{escaping.escape(s.name)}">'
            f"{escaping.escape(f'{s.source}: {s.title}')}</a></li>"
            for s in sheets
        )
        parts.append(f"<nav><ul>{''.join(links)}</ul></nav>")
    parts += map(fragment, sheets)
    return _PAGE.replace("TITLE", escaping.escape(title)).replace("BODY", "\n".join(parts))


def fragment(sheet: Sheet) -> str:
    """The part of a page that is one table's; its looks are the page's."""
    caption = escaping.escape(f"{sheet.source}: {sheet.title}")
    warning = "".join(f'<p class="warning">{escaping.escape(text)}</p>' for text in warned(sheet))
    notes = "".join(f"<li>{escaping.escape(note)}</li>" for note in sheet.notes)
    heads = "".join(
        f"<tr>{''.join(_html_head(head, sheet, n) for head in heads)}</tr>\n"
        for n, heads in enumerate(sheet.heads)
    )
    sections = "".join(_html_section(sheet, *section) for section in sheet.sections)
    return (
        f'<section id="{escaping.escape(sheet.name)}"><h2>{caption}</h2>{warning}\n'
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}">'
        f'<table class="{"down" if sheet.labels > 1 else "across"}">\n'
        f"<thead>{heads}</thead>\n{sections}</table></div>\n<ul class=notes>{notes}</ul></section>"
    )


def _html_head(head: Head, sheet: Sheet, depth: int) -> str:
    if not head.text:
        return f'<td colspan="{head.span}"></td>'
    scope = "colgroup" if head.span > 1 else "col"
    kind = ' class="group"' if head.span > 1 else ""
    return f'<th scope="{scope}" colspan="{head.span}"{kind}>{escaping.escape(head.text)}</th>'


def _html_section(sheet: Sheet, heading: str, lines: Sequence[Line]) -> str:
    """The lines of a section, those of one row of the paper in a body of their own."""
    width = sheet.labels + len(lines[0].cells) if lines else sheet.labels
    made = ""
    if heading:
        made = (
            f'<tbody><tr><th class="section" scope="rowgroup" colspan="{width}">'
            f"{escaping.escape(heading)}</th></tr></tbody>\n"
        )
    rows = [(line.first, _html_line(line)) for line in lines]
    bodies = "".join(("</tbody>\n<tbody>" if first else "") + row for first, row in rows)
    return made + bodies.removeprefix("</tbody>\n") + ("</tbody>\n" if rows else "")


def _html_line(line: Line) -> str:
    labels = "".join(
        f'<th scope="row">{escaping.escape(label)}</th>' if label else "<td></td>"
        for label in line.labels
    )
    return f"<tr>{labels}{''.join(map(_html_cell, line.cells))}</tr>\n"


def _html_cell(shown: Shown) -> str:
    # A minus sign, which is as wide as the plus.
    text = escaping.escape(re.sub(r"^(\(?)-(?=\d)", "\\1−", shown.text))
    text = re.sub(r" (±\S+)$", r" <small>\1</small>", text)
    inner = f"<b>{text}</b>" if shown.best else text
    return f'<td class="{shown.kind}">{inner}</td>'


# Blue and orange: told apart by who is colour-blind, and in grey by the sign.
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TITLE</title>
<style>
:root { color-scheme: light dark; --line: #ccc; --soft: #595959; --note: #7a3b00; --ground: #fff;
  --ink: #1a1a1a; --better: #0b5394; --worse: #9a4a00; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --soft: #b0b0b0; --note: #ffb870;
  --ground: #121212; --ink: #ececec; --better: #7fb8f0; --worse: #f0a868; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 100rem; margin: 2rem auto; padding: 0 1rem;
  background: var(--ground); color: var(--ink); }
a { color: inherit; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .1rem .5rem; text-align: right; white-space: nowrap; }
.down { font-size: .85rem; } .down th, .down td { padding: .1rem .35rem; }
th[scope=row], th.section { text-align: left; font-weight: 400; }
tr > th[scope=row]:first-child { font-weight: 600; position: sticky; left: 0; background: var(--ground); }
.down tr > :nth-child(2) { text-align: left; color: var(--soft); }
th.group { text-align: center; border-bottom: 1px solid var(--line); }
th.section { font-style: italic; padding-top: .6rem; }
tbody { border-top: 1px solid var(--line); }
.across tbody td:nth-child(3n + 2), .across thead tr:last-child th:nth-child(3n + 2) {
  padding-left: 1.6rem; }
td.paper, td.none, td.within { color: var(--soft); }
td.better { color: var(--better); } td.worse { color: var(--worse); }
.warning { color: var(--note); border-left: 4px solid var(--note); padding-left: .8rem; font-weight: 600; }
.notes { color: var(--soft); font-size: .85rem; max-width: 60rem; }
li { overflow-wrap: anywhere; }
@media print { section { break-before: page; } }
</style>
<body>
<main>
BODY
</main>
</body>
</html>
"""
