"""What each rule of cleaning did to a text, and lines drawn at random to be judged by eye.

    python benchmarks/corpus_rules.py raw_sample.txt.xz --seed 5 --count 50

A file that is not there is looked for in $LIGERO_DATA/corpus. Every line that cleaning dropped
while there was text in it has the same chance, whatever its rule, or with --even the same as of any
other rule; so has every line that is left. A fifth of the draw is of what was there before, out of
the samples of the report. The text is printed, not kept.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from corpus import found
from ligero.corpus.build import Settings, build
from ligero.report import corpus as report
from ligero.report.tables import markdown

ALL = 10_000_000  # samples of each rule: all of them


def main() -> None:
    """Build, and print tables and what was drawn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=found)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--even", action="store_true", help="as likely of one rule as of another")
    parser.add_argument("--keep", type=Path, help="where the corpus stays")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        out = arguments.keep or Path(place) / "out"
        results = build([arguments.input], out, Settings(cleaning={"samples": ALL}), 1)
        left = pl.concat(pl.read_parquet(file) for file in sorted(out.glob("text/*/text.parquet")))
    for name in ("cleaning", "copies"):
        for heading, rows in (report.totals(results[name]), report.rules(results[name])):
            print(markdown(heading, rows) + "\n")
    rng = random.Random(arguments.seed)
    repeated = dropped(results["copies"])
    again = rng.sample(repeated, min(len(repeated), arguments.count // 5))
    cleaned = dropped(results["cleaning"])
    if arguments.even:
        names = sorted({name for name, _, _ in cleaned})
        cleaned = [
            each
            for name in names
            for each in rng.choices([one for one in cleaned if one[0] == name], k=20)
        ]
    show("Dropped by cleaning", rng.sample(cleaned, arguments.count - len(again)))
    show("Dropped because it was there before", again)
    lines = left.select("id", pl.col("text").str.split("\n")).explode("text").rows()
    show("Kept", [("", *line) for line in rng.sample(lines, arguments.count)])


def dropped(tally: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rule, document and text of all lines and documents that went."""
    return [
        (name, document, before)
        for name, count in sorted(tally["rules"].items())
        if count["does"] in ("drop line", "drop document")
        for _, document, before, _ in count["samples"]
        if before.strip()
    ]


def show(title: str, drawn: list[tuple[str, str, str]]) -> None:
    """What was drawn, numbered."""
    print(f"{title}\n")
    for number, (rule, document, text) in enumerate(drawn, 1):
        print(f"{number:3} [{rule}] {document}: {json.dumps(text, ensure_ascii=False)}")
    print()


if __name__ == "__main__":
    main()
