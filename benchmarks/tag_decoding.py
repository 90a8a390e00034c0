"""What it is worth to choose a sentence's tags together: the same scores, read both ways.

    LIGERO_DATA=… python benchmarks/tag_decoding.py ner ner-conll2002 --out benchmarks/results/tag-decoding.md
    LIGERO_DATA=… python benchmarks/tag_decoding.py ner ner-conll2002 --keep

An exported model, or one that comes with ligero, computes its scores of the task's dev and test files once.
Then each word's tag is taken by itself, and the best sequence that BIO allows. With --keep a model that comes
with ligero is told to choose in the second way from now on; its weights stay what they are.
"""

import argparse
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ligero import machine
from ligero.config import DataConfig
from ligero.report import tables
from ligero.runs import MANIFEST, publish, write_json, write_text
from ligero.runtime.predictor import Predictor
from ligero.runtime.released import RELEASED
from ligero.tasks import kinds, source
from ligero.tasks.metrics import bootstrap, paired_bootstrap
from ligero.tasks.scoring import Measured, measure

WAYS = {"independent": "each word's by itself", "valid": "as BIO allows"}
FIGURES = ("f1", "precision", "recall", "accuracy")


def main() -> None:
    """Read both splits both ways; write a page, or what comes with ligero."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("task")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    found = read(arguments.model, arguments.task)
    page = report(arguments.model, arguments.task, found)
    print(page)
    if arguments.out:
        arguments.out.write_text(page, encoding="utf-8")
        write_json(arguments.out.with_suffix(".json"), found)
    if arguments.keep:
        keep(RELEASED / arguments.model, found)


def read(model: str, task: str) -> dict[str, Any]:
    """split -> way -> figures, their intervals, milliseconds of a text; and what the second way gains."""
    predictor, found = Predictor(model), {}
    labels = predictor.labels
    ways = {way: kinds.decoded(kinds.find("tag"), labels, way) for way in WAYS}
    for split in ("dev", "test"):
        examples = source.load_split(DataConfig(task=task), split).examples
        scores = predictor.scores(examples)
        taken, rows = dict.fromkeys(ways, 0.0), {}
        for _ in range(3):  # in turn
            for way, kind in ways.items():
                began = time.perf_counter()
                for example, mine in zip(examples, scores, strict=True):
                    kind.predict(example, mine, labels)
                taken[way] += (time.perf_counter() - began) / 3
        measured: dict[str, Measured] = {}
        for way, kind in ways.items():
            measured[way] = m = measure(kind, labels, examples, scores)
            rows[way] = {
                "figures": {name: m.metrics[name] for name in FIGURES},
                "interval": bootstrap(m.tallies, partial(kind.figures, labels=labels)),
                "milliseconds": 1000 * taken[way] / len(examples),
            }
        one, other = (measured[way].tallies for way in WAYS)
        gained = paired_bootstrap(one, other, partial(kind.figures, labels=labels))["f1"]
        changed = sum(
            a != b for a, b in zip(*(m.predicted for m in measured.values()), strict=True)
        )
        found[split] = {
            "ways": rows, "texts": len(examples), "changed": changed,
            "gain": gained.difference, "gain_interval": [gained.low, gained.high],
        }  # fmt: skip
    return found


def report(model: str, task: str, found: Mapping[str, Any]) -> str:
    """The page."""
    rows = []
    for split, of in found.items():
        for way, row in of["ways"].items():
            rows.append(
                [
                    split, WAYS[way], *(f"{row['figures'][name]:.2f}" for name in FIGURES),
                    "{:.2f} to {:.2f}".format(*row["interval"]["f1"]), f"{row['milliseconds']:.3f}",
                ]
            )  # fmt: skip
    heading = [
        "",
        "a word's tag",
        *(tables.NAMES.get(n, n) for n in FIGURES),
        "95%, F1",
        "ms a text",
    ]
    gains = [
        [
            split, f"{of['gain']:+.2f}", "{:+.2f} to {:+.2f}".format(*of["gain_interval"]),
            f"{of['changed']:,} of {of['texts']:,}",
        ]
        for split, of in found.items()
    ]  # fmt: skip
    return f"""# A sentence's tags chosen together

{tables.markdown(heading, rows)}

`{model}` on {task}: one set of scores, read in both ways. The time is that of choosing alone, in Python and
numpy, each split read three times in turn. What choosing together gains:

{tables.markdown(["", "F1", "95%, by resampling texts", "texts read otherwise"], gains)}

{machine.footer("ligero", "openvino", "numpy")}"""


def keep(folder: Path, found: Mapping[str, Any]) -> None:
    """Have what comes with ligero choose tags together, and its card say what it then reaches."""
    dev, test = (found[split]["ways"]["valid"] for split in ("dev", "test"))
    whole = folder.with_name(f".{folder.name}")
    with publish(whole) as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        (place / MANIFEST).unlink()
        card = Predictor(folder).card
        score = {"exported": dev["figures"]["f1"], "interval": list(dev["interval"]["f1"])}
        write_text(
            place / "README.md", rewritten((place / "README.md").read_text("utf-8"), test, dev)
        )
        size = sum(file.stat().st_size for file in place.iterdir())
        replace(card, decoding="valid", score=score, bytes=size).write(place)
    shutil.rmtree(folder)
    whole.rename(folder)


def rewritten(page: str, test: Mapping[str, Any], dev: Mapping[str, Any]) -> str:
    """A card with these figures in the place of those on test, and what they are of."""
    for name in FIGURES:
        title, value = tables.NAMES.get(name, name), test["figures"][name]
        low, high = test["interval"][name]
        page = re.sub(
            rf"(type: {name}\n      value: )[\d.]+(\n      name: {title}, 95% interval ).*",
            rf"\g<1>{value:.2f}\g<2>{low:.2f} to {high:.2f}", page,
        )  # fmt: skip
        page = re.sub(
            rf"\| {title} \| [\d.]+ \| [\d.]+ to [\d.]+ \|",
            f"| {title} | {value:.2f} | {low:.2f} to {high:.2f} |", page,
        )  # fmt: skip
    page = page.replace(
        "The models of the same run:",
        "These are of what is here, in int8, with a sentence's tags chosen together as BIO allows\n"
        "(`benchmarks/tag_decoding.py`). In its own run each word's tag was chosen by itself:",
    )
    return re.sub(
        r"Its f1 on dev: ([\d.]+), the original's ([\d.]+)\.",
        rf"Its F1 on dev: {dev['figures']['f1']:.2f}; with each word's tag chosen by itself \1, the "
        r"original's then \2.",
        page,
    )


if __name__ == "__main__":
    main()
