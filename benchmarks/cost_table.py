"""What every model of the catalog costs, beside what Speedy Gonzales says of it.

    python benchmarks/cost_table.py --out benchmarks/results/cost-table.md

Arithmetic alone: the same on any machine, in no time. Table 3's parameters and speed-ups stand beside
ours, and the page says where they differ and why.
"""

import argparse
import json
import math
import textwrap
from pathlib import Path
from typing import Any

from ligero.measure import cost
from ligero.measure.published import speeds
from ligero.models import catalog
from ligero.report import tables
from ligero.report.bench import times

BETO = "beto-cased"


def row_of(name: str) -> dict[str, Any]:
    """One model's figures, and the paper's where it has any (None elsewhere)."""
    s, beto = _shape(name), _shape(BETO)
    macs, papers = cost.macs(s, cost.LENGTH), cost.papers_macs(s)
    published = speeds().get(name)
    return {
        "model": name,
        "stored": cost.encoder_parameters(s),
        # Their classifier of three labels, with a dense layer before them.
        "classifier": cost.encoder_parameters(s) + cost.classifier_parameters(s),
        "published_parameters": catalog.find(name).parameters if published else None,
        "effective": cost.effective_parameters(s),
        "bytes": {p: cost.weight_bytes(cost.encoder_parameters(s), p) for p in cost.WIDTHS},
        "macs": macs,
        "fewer": cost.macs(beto, cost.LENGTH) / macs,
        "papers_macs": papers,
        "papers_fewer": cost.papers_macs(beto) / papers,
        "cut_twice": _cut(_cut(cost.papers_macs(beto) / 1e9) / _cut(papers / 1e9)),
        "published_speedup": published.speedup if published else None,
    }


def _cut(value: float) -> float:
    """Two decimals, the rest cut off: as the paper's own table of MACs has it."""
    return math.floor(100 * value + 1e-9) / 100


def table(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the page."""
    heading = [
        "model", "stored", "with classifier", "Table 3: parameters", "effective", "MB fp32",
        "MB int8", "MACs", "fewer than BETO", "MACs, papers'", "fewer, papers'", "Table 3: speed-up",
    ]  # fmt: skip
    shown = [
        [
            r["model"],
            _millions(r["stored"]),
            _millions(r["classifier"]),
            f"{r['published_parameters'] / 1e6:.0f}M" if r["published_parameters"] else "",
            _millions(r["effective"]),
            f"{r['bytes']['fp32'] / 1e6:.1f}",
            f"{r['bytes']['int8'] / 1e6:.1f}",
            f"{r['macs'] / 1e9:.2f}G",
            times(r["fewer"]),
            f"{r['papers_macs'] / 1e9:.2f}G",
            times(r["papers_fewer"]),
            f"{r['published_speedup']:.2f}x" if r["published_speedup"] else "",
        ]
        for r in rows
    ]
    return heading, shown


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.2f}M"


def page(rows: list[dict[str, Any]]) -> str:
    """The table, and its differences to the paper in words."""
    own = {r["model"]: r for r in rows}
    published = [r for r in rows if r["published_speedup"]]
    alike = sum(r["cut_twice"] == r["published_speedup"] for r in published)
    beto, tiny, base, ours = (own[n] for n in (BETO, "albeto-tiny", "albeto-base", "ligero-tiny"))
    text = f"""
Encoders at the catalog's vocabularies. Stored: weights in the file, those of tied layers once, without
pooler and head. With classifier: as the paper measured them, with a dense layer and three labels.
Effective: with tied layers as often as they are applied. MB: of the stored weights, 10^6 bytes. MACs: of
one text of {cost.LENGTH} sub-words.

## Two ways of counting

**MACs** are all products of matrices, attention's own two included (scores, and the mixing of values
by them). **MACs, papers'** are what the paper's counter, THOP, found. It asks a model's layers, not its
operations. What is in them follows from the counts that the authors released with their code, which
ligero's formula gives to the last digit for all {len(published)} models:

- every linear layer, among them the widening of ALBERT's embeddings from 128, the pooler (or the dense
  layer of those that have none), and a classifier of three labels: the model they measured is one for XNLI;

- four operations for each element of a normalisation;

- nothing of attention's own products, of soft-max, of activations, of looking up embeddings.

Attention's products are {_attention(BETO):.0%} of BETO's at this length, but {_attention("albeto-tiny"):.0%}
of albeto-tiny's and {_attention("ligero-tiny"):.0%} of ligero-tiny's: their states are narrow. So albeto-tiny
does {times(tiny["papers_fewer"])} times fewer MACs than BETO as the paper counts and {times(tiny["fewer"])}
times fewer in all, ligero-tiny {times(ours["papers_fewer"])} and {times(ours["fewer"])}.

## Differences to Table 3

- **Speed-ups.** {alike} of {len(published)} are the paper's MACs with digits cut off twice, not rounded: 10^9
  MACs to two decimals, then their ratio. Hence 18.05x for albeto-tiny, 43.52 / 2.41, where the ratio of the
  counts is {tiny["papers_fewer"]:.2f}; and 0.99x for albeto-base, which does
  {base["papers_macs"] / beto["papers_macs"] - 1:.1%} more than BETO, the widening of its embeddings.

- **Parameters** agree when the classifier is counted, and rounded to millions. Tied models store little and
  compute as much as untied ones: albeto-base stores {base["stored"] / 1e6:.1f}M and computes with
  {base["effective"] / 1e6:.1f}M, all twelve layers of BETO's. Its 12M is a size on disk and no measure of
  speed.

- **MACs are not time.** `ligero bench` measures that. For small models soft-max, transposes and memory weigh
  as much as products.
"""
    parts = [_filled(part) for part in text.strip().split("\n\n")]
    return "\n\n".join(["# What the models cost", tables.markdown(*table(rows)), *parts]) + "\n"


def _filled(part: str) -> str:
    """A paragraph with its figures in, broken into lines again."""
    hanging = "  " if part.startswith("- ") else ""
    return textwrap.fill(
        " ".join(part.split()),
        105,
        subsequent_indent=hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _attention(name: str) -> float:
    """Share of all products that are attention's own, in two matrices of [length, length] a layer."""
    s = _shape(name)
    return 2 * s.layers * s.hidden * cost.LENGTH**2 / cost.macs(s, cost.LENGTH)


def _shape(name: str) -> cost.Shape:
    known = catalog.find(name)
    return cost.shape(known.family, known.config, known.vocab_size)


def main() -> None:
    """Print the page, and write it and its figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rows = [row_of(name) for name in catalog.MODELS]
    print(page(rows))
    if arguments.out:
        arguments.out.write_text(page(rows), encoding="utf-8")
        figures = {"length": cost.LENGTH, "labels": cost.LABELS, "models": rows}
        arguments.out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
