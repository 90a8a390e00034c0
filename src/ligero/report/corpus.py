"""What cleaning a corpus did: tables on a terminal, and a page with samples of every rule."""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ligero.corpus import steps
from ligero.corpus.rules import RULES
from ligero.corpus.tally import alike
from ligero.report.tables import terminal

# Rules in the order in which they are applied, then what was there before; and why there is each.
WHY = {rule.name: rule.why for rule in RULES} | steps.WHY
DID = {
    "drop line": "lines dropped",
    "change": "lines changed",
    "drop document": "documents dropped",
}
KEPT = "kept"
# Samples of each rule on a terminal, and how much of what did not change stands before what did.
SAMPLES = 3
LEAD = 30


def totals(tally: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: documents, lines and bytes before and after, and what share is left."""
    rows = []
    for name in ("documents", "lines", "bytes"):
        before, after = tally[name]
        rows.append([name, f"{before:,}", f"{after:,}", _share(after, before)])
    return ["", "before", "after", "left"], rows


def rules(tally: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: what each rule did, how often, and how many bytes it took; in their order.

    A change may add bytes (an entity is longer than its letter, a composed letter shorter): those
    count as taken with a minus.
    """
    before = tally["bytes"][0]
    rows = [
        [
            name,
            DID[count["does"]],
            f"{count['lines']:,}",
            f"{count['taken']:,}",
            _share(count["taken"], before),
        ]
        for name, count in _counted(tally)
    ]
    return ["rule", "did", "how often", "bytes", "of all"], rows


def shown(tally: Mapping[str, Any], samples: int = SAMPLES) -> Iterator[RenderableType]:
    """The parts of the report on a terminal: totals, rules, and some samples of each rule.

    tally: what `corpus.tally.Tally.to_json` gives.
    """
    yield terminal(*totals(tally))
    if _counted(tally):
        yield Text()
        yield terminal(*rules(tally))
    for name, count in [*_counted(tally), *_kept(tally)]:
        if count["samples"][:samples]:
            yield Text(f"\n{name}", style="bold")
        for _, _, before, after in count["samples"][:samples]:
            if count["does"] == "change":
                start = max(0, alike(before, after) - LEAD)
                before, after = before[start:], after[start:]
            yield Padding(_line(" " if count["does"] == "keep" else "-", before), (0, 0, 0, 2))
            if count["does"] == "change":
                yield Padding(_line("+", after), (0, 0, 0, 2))


def page(tallies: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """One HTML file with all of it: tables, why there is each rule, and samples to judge it by.

    tallies: heading -> what `corpus.tally.Tally.to_json` gives, one for each step.
    """
    parts = [f"<h1>{html.escape(title)}</h1>"]
    for heading, tally in tallies.items():
        parts += [
            f"<h2>{html.escape(heading)}</h2>",
            _table(*totals(tally)),
            "<h3>What each rule did</h3>",
            _table(*rules(tally)),
            "<h3>Samples</h3>",
            "<p>Drawn at random. Struck through: what went. Underlined: what came in its place.</p>",
            *(_samples(name, count) for name, count in [*_counted(tally), *_kept(tally)]),
        ]
    return _PAGE.format(title=html.escape(title), body="\n".join(parts))


def _counted(tally: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The rules that did something, in the order of RULES."""
    return [(name, tally["rules"][name]) for name in WHY if name in tally["rules"]]


def _kept(tally: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(KEPT, tally["rules"][KEPT])] if KEPT in tally["rules"] else []


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else ""


def _line(mark: str, text: str) -> Text:
    style = {"-": "red", "+": "green"}.get(mark, "dim")
    # A sample may be a few lines that were joined.
    flat = text.replace("\n", "⏎")
    return Text(f"{mark} {flat}", no_wrap=True, overflow="ellipsis", style=style)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first two columns may be words, the others figures."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heading)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>\n" for row in rows)
    return f"<div class=wide><table><tr>{head}</tr>\n{body}</table></div>"


def _cell(text: str) -> str:
    figure = ' class="n"' if text[:1] in "-0123456789" and text else ""
    return f"<td{figure}>{html.escape(text)}</td>"


def _samples(name: str, count: Mapping[str, Any]) -> str:
    """A rule, its reason, and its samples, to be unfolded."""
    why = WHY.get(name, "what is left, to be judged as well")
    did = f"{count['lines']:,} {DID.get(count['does'], 'lines')}"
    items = "".join(
        f"<li><small>{html.escape(document)}</small><br>{_before_after(before, after, count['does'])}"
        for _, document, before, after in count["samples"]
    )
    return (
        f"<details><summary><b>{html.escape(name)}</b> <span>{did}</span><br>{html.escape(why)}"
        f"</summary><ul>{items}</ul></details>"
    )


def _before_after(before: str, after: str, does: str) -> str:
    """A sample as HTML: what is alike at both ends once, what differs struck out and put in."""
    if does == "keep":
        return _visible(before)
    if does != "change":
        return f"<del>{_visible(before)}</del>"
    start = alike(before, after)
    end = alike(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    tail = before[len(before) - end :] if end else ""
    marked = (f"<del>{_visible(old)}</del>" if old else "") + (
        f"<ins>{_visible(new)}</ins>" if new else ""
    )
    return _visible(before[:start]) + marked + _visible(tail)


def _visible(text: str) -> str:
    """`text` for HTML; a character that cannot be seen is shown by its number."""
    return html.escape(
        "".join(c if c.isprintable() or c == "\n" else f"[U+{ord(c):04X}]" for c in text)
    )


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #ccc; --soft: #666; --gone: #b00020; --come: #006b2d; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --line: #444; --soft: #aaa; --gone: #ff8a80; --come: #7fd99a; }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); }}
th {{ font-weight: 600; }} td.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
details {{ border-bottom: 1px solid var(--line); padding: .5rem 0; }}
summary {{ cursor: pointer; }} summary span, small {{ color: var(--soft); }}
ul {{ padding-left: 1.2rem; }} li {{ margin: .5rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }}
del {{ color: var(--gone); }} ins {{ color: var(--come); }}
</style>
<body>
{body}
</body>
</html>
"""
