"""`ligero vocab`: its flags, and what is called and printed. No logic."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ligero import flags

# What reads text and counts it by part; rules and copies of a corpus need more.
NEEDED = ("polars", "zstandard")


def add(parser: Any) -> None:
    """Give `ligero vocab` its two steps: train, report."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP", title="steps")

    def step(name: str, run: Callable[[argparse.Namespace], None], text: str) -> Any:
        made = steps.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    made = step("train", _train, "learn a vocabulary from text")
    made.add_argument(
        "inputs", nargs="+", metavar="INPUT",
        help="a corpus that was built; or text, JSON lines, Parquet, also .gz, .xz, .zst, .bz2",
    )  # fmt: skip
    made.add_argument("--out", required=True, metavar="DIR", help="the vocabulary's folder")
    made.add_argument(
        "--algorithm", default="unigram", metavar="NAME",
        help="unigram, bpe or wordpiece (default: unigram)",
    )  # fmt: skip
    made.add_argument(
        "--size", type=flags.count, default=16_000, metavar="N", help="entries (default: 16000)"
    )
    made.add_argument("--lowercase", action="store_true", help="fold case; accents stay")
    made.add_argument(
        "--model", metavar="NAME",
        help="a model of the catalog that it is for: special tokens are named as its papers do "
        "(default: as BERT's)",
    )  # fmt: skip
    made.add_argument(
        "--max-length", type=flags.count, default=512, metavar="N",
        help="longest window in sub-words (default: 512)",
    )  # fmt: skip
    made.add_argument(
        "--valid", action="append", default=[], metavar="FILE",
        help="other text to measure it on; may be given again",
    )  # fmt: skip
    made.add_argument(
        "--workers", type=flags.count, metavar="N", help="processes; one a core if left out"
    )
    _text_field(made)

    made = step("report", _report, "measure any tokenizer, on text if there is some")
    made.add_argument("folder", metavar="DIR", help="a tokenizer's folder, or a finished model's")
    made.add_argument("files", nargs="*", metavar="FILE", help="text to measure it on")
    made.add_argument(
        "--beside", action="append", default=[], metavar="DIR",
        help="another tokenizer to compare with; may be given again",
    )  # fmt: skip
    _text_field(made)


def _text_field(parser: Any) -> None:
    parser.add_argument(
        "--text-field", default="text", metavar="NAME", help="where records have text"
    )


def _train(chosen: argparse.Namespace) -> None:
    flags.need(NEEDED, "corpus")
    from ligero import bars
    from ligero.models import catalog
    from ligero.vocab import make

    settings = make.Settings(
        algorithm=chosen.algorithm,
        size=chosen.size,
        lowercase=chosen.lowercase,
        family=catalog.find(chosen.model).family if chosen.model else "bert",
        max_length=chosen.max_length,
        text_field=chosen.text_field,
    )
    results = make.make(chosen.inputs, chosen.out, settings, chosen.workers, chosen.valid, bars.say)
    _show({Path(chosen.out).name: results})
    count = results["vocabulary"]["entries"]
    if count < settings.size:
        bars.say(f"{count:,} entries where {settings.size:,} were asked for: the text has no more")
    print(f"\n{chosen.out}: {count:,} entries; compare: ligero vocab report {chosen.out} FILE...")


def _report(chosen: argparse.Namespace) -> None:
    if chosen.files:
        flags.need(NEEDED, "corpus")
    from ligero.report.tables import short
    from ligero.vocab import make, measure

    folders = list(dict.fromkeys([chosen.folder, *chosen.beside]))
    tokenizers = {folder: make.load(folder) for folder in folders}
    texts = {file: make.sample(Path(file), chosen.text_field) for file in chosen.files}
    names, files = short(folders), short(list(texts))
    _show(
        {
            names[folder]: {
                "vocabulary": measure.itself(tokenizer),
                "texts": {files[f]: measure.over(tokenizer, some) for f, some in texts.items()},
            }
            for folder, tokenizer in tokenizers.items()
        }
    )


def _show(reports: Mapping[str, Any]) -> None:
    from ligero.report import tables
    from ligero.report import vocab as report

    for part in report.shown(reports):
        tables.show(part)
