"""The report: one HTML file that asks for nothing outside it, light and dark; pictures; JSON."""

import base64
import datetime
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ligero.errors import InputError
from ligero.measure import budget, gather
from ligero.report.frontier import Section, as_json, merits, sections, summary, table
from ligero.report.frontier_pictures import SIZES, SPEED, TIME, pictures
from ligero.runs import write_json, write_text

PAGE, JSON = "index.html", "report.json"
# What each figure of merit is of.
OF = {
    "found": "the models found here",
    "published": "the published ones",
    "together": "both together",
    "measured": "exported models by the clock",
}
READING = """
<p>A model is on the <b>front</b> when no other scores as much with as few multiply-adds. Speed by
multiply-adds is the papers' measure: of one text of 512 sub-words, all linear layers, BETO being 1. It
is the same on every machine and predicts the latency of none: attention and short texts cost what it
does not count. Latency on this machine is there once <code>ligero choose</code> has measured it.
<code>s / 1,000</code> are seconds for 1,000 texts as each run measured them, and compare within one
run only. ± is half the width of the 95% interval.</p>
<p>The <b>merit</b> of a front is the mean score of the best model within a budget, the budget drawn
evenly on a logarithmic scale: between 1/64 of BETO's multiply-adds and all of them, or between 1 and
1,000 ms. A budget that no model fits scores 0. It is the hypervolume above the reference point (score
0, BETO's cost) as a share of the plane.</p>
"""


@dataclass(frozen=True)
class Written:
    """page: the file to open. summary: heading and rows. left_out: what was not used, and why."""

    page: Path
    summary: tuple[list[str], list[list[str]]]
    left_out: list[str]


def write(places: Sequence[str | Path], out: str | Path, kept: Path | None = None) -> Written:
    """Gather what lies below `places` and write the report on it into the folder `out`.

    kept: the file of measured latencies; the cache's own where left out. Raises InputError where
    nothing that is finished is found.
    """
    found = gather.gather(places)
    if not found.points:
        why = f" ({'; '.join(found.left_out)})" if found.left_out else ""
        raise InputError(
            f"no finished run, suite or exported model{why}",
            file=", ".join(map(str, places)), expected="one: ligero compress makes it",
        )  # fmt: skip
    found.points = budget.with_kept(found.exports, found.points, kept or budget.kept_file())
    all_of = sections(found)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    date = datetime.date.today().isoformat()
    shown = pictures(all_of, folder)
    write_text(folder / PAGE, page(all_of, shown, folder, found.left_out, date))
    write_json(folder / JSON, {"date": date, **as_json(all_of, found)})
    return Written(folder / PAGE, summary(all_of), found.left_out)


def page(
    all_of: Sequence[Section], shown: Mapping[str, str], folder: Path, left_out: Sequence[str],
    date: str,
) -> str:  # fmt: skip
    """The page. shown: name -> what it shows in words, as SVG in `folder`. left_out: one line each."""
    parts = [
        "<h1>Quality against cost</h1>",
        f"<p>{sum(len(s.own_beside) for s in all_of)} models on {len(all_of)} tasks, {date}.</p>",
        _table(*summary(all_of), "Every task: the best model, and those on the front"),
        "<details><summary>How to read this</summary>" + READING + "</details>",
        _picture(SIZES, shown, folder),
    ]
    for section in all_of:
        parts.append(f'<h2 id="{html.escape(section.name)}">{html.escape(section.heading)}</h2>')
        parts += [f'<p class="note">{html.escape(said)}</p>' for said in section.warnings]
        parts += [
            _picture(before + section.name, shown, folder)
            for before in (SPEED, TIME)
            if before + section.name in shown
        ]
        told = ", ".join(f"{OF[name]} {value:.1f}" for name, value in merits(section).items())
        parts.append(f"<p>Merit: {told}.</p>" if told else "")
        parts.append(_table(*table(section), section.heading))
    if left_out:
        items = "".join(f"<li>{html.escape(reason)}</li>" for reason in left_out)
        parts.append(f"<h2>Left out</h2><ul>{items}</ul>")
    return _PAGE.replace("BODY", "\n".join(parts))


def _picture(name: str, shown: Mapping[str, str], folder: Path) -> str:
    """A picture within the page. As an image and not as elements: none of its names meets another's."""
    svg = base64.b64encode((folder / f"{name}.svg").read_bytes()).decode("ascii")
    words = html.escape(shown[name], quote=True)
    return f'<figure><img src="data:image/svg+xml;base64,{svg}" alt="{words}"></figure>'


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table; each column's heading is a button that sorts by it."""
    head = "".join(
        f'<th scope="col"><button type="button">{html.escape(name)}</button></th>'
        for name in heading
    )
    body = "".join(_row(row) for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table>'
        f"<caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[str]) -> str:
    kind = ' class="published"' if row[-1] == "published" else ""
    cells = "".join(
        f"<td{' class=n' if text[:1].isdigit() else ''}>{html.escape(text)}</td>" for text in row
    )
    return f"<tr{kind}>{cells}</tr>\n"


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ligero: quality against cost</title>
<style>
:root { color-scheme: light dark; --line: #ccc; --soft: #595959; --note: #7a3b00; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --soft: #b0b0b0; --note: #ffb870; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button::after { content: " ↓"; }
tr.published { color: var(--soft); font-style: italic; }
.note { color: var(--note); }
/* Pictures are drawn for paper, and stay on white. */
figure { margin: 1rem 0; } img { max-width: 46rem; width: 100%; background: #fff; border-radius: 6px; }
li { overflow-wrap: anywhere; }
@media print { details { display: none; } h2 { break-before: page; } }
</style>
<body>
<main>
BODY
</main>
<script>
// "1/8x" stays text; "3.4 ±0.9", "115x" and "6.8M" sort as the numbers they begin with.
const value = cell => { const n = parseFloat(cell.replaceAll(",", "")); return isNaN(n) ? cell : n; };
document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const th = button.parentElement, body = th.closest("table").tBodies[0];
  const down = th.getAttribute("aria-sort") !== "descending", at = th.cellIndex;
  th.parentElement.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  th.setAttribute("aria-sort", down ? "descending" : "ascending");
  [...body.rows].sort((a, b) => {
    const [x, y] = [a, b].map(row => value(row.cells[at].textContent));
    const order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? 1 : -1;
    return down ? -order : order;
  }).forEach(row => body.append(row));
}));
</script>
</body>
</html>
"""
