"""`ligero corpus`: its flags, and what is called and printed. No logic.

Apart from `cli.py`, which would else hold the flags of every room.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ligero import flags
from ligero.errors import InputError

# The steps of a corpus's results, as a person reads of them.
TITLES = {"cleaning": "Cleaning", "copies": "What was there twice"}
NEEDED = ("polars", "rensa", "ftfy", "zstandard")


def add(parser: Any) -> None:
    """Give `ligero corpus` its three steps: build, report, shards."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP", title="steps")

    def step(name: str, run: Callable[[argparse.Namespace], None], text: str) -> Any:
        made = steps.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    made = step("build", _build, "clean raw text and drop what is there twice")
    made.add_argument(
        "files", nargs="+", metavar="FILE",
        help="text (a blank line between documents), JSON lines, Parquet or a Wikipedia dump; "
        "also .gz, .xz, .zst, .bz2",
    )  # fmt: skip
    made.add_argument("--out", required=True, metavar="DIR", help="the corpus's folder")
    made.add_argument(
        "--workers", type=flags.count, metavar="N", help="processes; one a core if left out"
    )
    made.add_argument(
        "--text-field", default="text", metavar="NAME", help="where records have text"
    )
    made.add_argument("--lowercase", action="store_true", help="the papers' variant; accents stay")
    made.add_argument(
        "--other-languages", action="store_true", help="keep lines that are not in Spanish"
    )
    made.add_argument(
        "--keep-copies", action="store_true", help="keep documents and lines that repeat exactly"
    )
    made.add_argument(
        "--keep-near-copies", action="store_true", help="keep documents much like an earlier one"
    )
    made.add_argument(
        "--shortest-line", type=flags.count, default=40, metavar="N",
        help="characters from which a repeated line goes (default: 40)",
    )  # fmt: skip

    made = step("report", _report, "show what each rule did, with samples")
    made.add_argument("folder", metavar="DIR", help="a corpus that was built")
    made.add_argument(
        "--samples", type=flags.count, default=3, metavar="N", help="of each rule (3)"
    )
    made.add_argument("--html", metavar="FILE", help="write all samples there as one page")

    made = step("shards", _shards, "cut a corpus into shards of sub-word ids")
    made.add_argument("folder", metavar="DIR", help="a corpus that was built")
    made.add_argument(
        "--tokenizer", required=True, metavar="DIR", help="a tokenizer's folder, or ligero-tiny"
    )
    made.add_argument("--out", required=True, metavar="DIR", help="the shards' folder")
    made.add_argument(
        "--case", action="store_true", help="keep word shapes, for a tokenizer that folds case"
    )
    made.add_argument(
        "--workers", type=flags.count, metavar="N", help="processes; one a core if left out"
    )


def _build(chosen: argparse.Namespace) -> None:
    flags.need(NEEDED, "corpus")
    from ligero import bars
    from ligero.corpus import build

    settings = build.Settings(
        copies=not chosen.keep_copies,
        near_copies=not chosen.keep_near_copies,
        shortest_line=chosen.shortest_line,
        text_field=chosen.text_field,
        cleaning={"lowercase": chosen.lowercase, "other_languages": chosen.other_languages},
    )
    results = build.build(chosen.files, chosen.out, settings, chosen.workers, bars.say)
    _show(results, samples=0)
    print(
        f"\n{chosen.out}: {results['documents_kept']:,} documents; samples: ligero corpus report {chosen.out}"
    )


def _report(chosen: argparse.Namespace) -> None:
    flags.need(NEEDED, "corpus")
    from ligero.report import corpus as report
    from ligero.runs import MANIFEST, read_json, write_text

    folder = Path(chosen.folder)
    if not (folder / MANIFEST).is_file():
        raise InputError(
            "no finished corpus", file=folder, expected="what ligero corpus build left"
        )
    results = read_json(folder / "results.json")
    if chosen.html:
        Path(chosen.html).parent.mkdir(parents=True, exist_ok=True)
        write_text(
            Path(chosen.html),
            report.page({TITLES[name]: results[name] for name in TITLES}, folder.name),
        )
        print(chosen.html)
    else:
        _show(results, samples=chosen.samples)


def _shards(chosen: argparse.Namespace) -> None:
    flags.need(NEEDED, "corpus")
    from ligero import bars
    from ligero.corpus import shards

    results = shards.build(
        chosen.folder, chosen.tokenizer, chosen.out, chosen.workers, bars.say, case=chosen.case
    )
    print(f"{chosen.out}: {results['tokens']:,} sub-words in {len(results['shards'])} shards")


def _show(results: dict[str, Any], samples: int) -> None:
    """What cleaning did, then what was there twice."""
    from ligero.report import corpus as report
    from ligero.report import tables

    for name, title in TITLES.items():
        tables.show(f"\n[bold]{title}[/bold]")
        for part in report.shown(results[name], samples):
            tables.show(part)
