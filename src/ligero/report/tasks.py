"""One task of the catalog on a terminal: its files, terms, sources, and what the papers reached."""

import os
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ligero.report.tables import NAMES, terminal
from ligero.tasks import source
from ligero.tasks.catalog import Entry, published


def shown(entry: Entry, folder: str | None) -> Iterator[RenderableType]:
    """The parts of the description; `folder` is where its files would be (else LIGERO_DATA)."""
    root = folder or os.environ.get(source.DATA_VARIABLE)
    yield Text(f"{entry.name}: {entry.title}", style="bold")
    facts = {
        "kind": f"{entry.kind}; scores: {', '.join(NAMES.get(m, m) for m in entry.metrics)}",
        "from": entry.source,
        "hub": f"{entry.hub.repository}@{entry.hub.revision} (--hub true)" if entry.hub else "",
        "licence": entry.licence,
        "cite": entry.citation,
        "note": entry.note,
    }
    table = Table.grid(padding=(0, 2))
    for name, fact in facts.items():
        if fact:
            table.add_row(Text(name, style="dim"), Text(fact))
    yield table
    rows = [
        [name, *_file(root, entry, name), f"{entry.counts[name]:,}" if name in entry.counts else ""]
        for name in entry.files
    ]
    yield terminal(["split", "file", "", "examples"], rows)
    results = published.of(entry.name)
    if results:
        yield Text("\nPublished (Speedy Gonzales, Table 2; the papers' conventions)", style="bold")
        metrics = list(results[0].scores)
        yield terminal(
            ["model", "", *(NAMES.get(m, m) for m in metrics)],
            [
                [r.model, "distilled" * r.distilled, *(f"{r.scores[m]:.2f}" for m in metrics)]
                for r in results
            ],
        )


def _file(root: str | None, entry: Entry, name: str) -> tuple[str, str]:
    path = source.local(root, entry, name)
    if path is None:
        return " or ".join(entry.files[name]), "missing"
    copies = {True: "at hand, a known copy", False: "at hand, another copy", None: "at hand"}
    return str(path), copies[source.known_copy(entry, path)]
