"""How fast exported models are, beside BETO in transformers: the graph alone, and text in, entities out.

    python benchmarks/export_speed.py --out benchmarks/results/export-speed.md

Weights at random: speed does not depend on them. Each model has a head for nine tags and the released
vocabulary, is exported without a gate in bf16 and int8, and runs on two threads; BETO's shape in
transformers, eager attention, fp32, is what ratios are to. All take turns within one process.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ligero import machine
from ligero.config import DataConfig
from ligero.export import build as exporting
from ligero.measure import latency
from ligero.models import build, catalog
from ligero.models.reference import RELEASED
from ligero.report import tables
from ligero.runtime import Predictor
from ligero.tasks import kinds, source
from ligero.train.trained import Trained

MODELS = ("albeto-base-6", "albeto-base-2", "albeto-tiny", "ligero-tiny", "ligero-tiny-2")
PRECISIONS = ("bf16", "int8")
LENGTHS = (32, 128, 512)
LABELS = ("O", *(f"{p}-{t}" for t in ("PER", "LOC", "ORG", "MISC") for p in "BI"))
SENTENCE = "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza y volvió el martes . "


def made(name: str, folder: Path) -> dict[str, Predictor]:
    """One shape in both precisions, with random weights."""
    tokenizer = build.load_tokenizer(RELEASED / "ligero-tiny")
    kind = kinds.find("tag")
    model = build.create(catalog.find(name), kind="tag", labels=LABELS, tokenizer=tokenizer, seed=0)
    unsettle(model)
    trained = Trained(model, tokenizer, kind, LABELS, 512)
    texts = [kind.read(SENTENCE * n) for n in (1, 1, 2, 2, 3, 4, 6, 8, 12, 20)]
    found = {}
    for precision in PRECISIONS:
        place = folder / f"{name}-{precision}"
        facts = {"name": name, "buckets": exporting.lengths(512), "task": None}
        exporting.assemble(place, trained, "openvino", precision, texts, facts)
        found[f"{name} {precision}"] = Predictor(place, threads=2)
    return found


def unsettle(model: Any) -> None:
    """Give every bias a value: fresh ones are zero, and adding nothing could be left out."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.uniform_(-0.02, 0.02)


def inputs(length: int, rows: int) -> dict[str, np.ndarray]:
    """Ids and a full mask."""
    ids = np.random.default_rng(0).integers(5, 8000, (rows, length))
    return {
        "input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": 0 * ids,
    }  # fmt: skip


def beto() -> Any:
    """BETO's shape with a head for the same tags."""
    tokenizer = build.load_tokenizer(RELEASED / "ligero-tiny")
    model = build.create(
        catalog.find("beto-cased"), kind="tag", labels=LABELS, tokenizer=tokenizer, seed=0
    )
    model.set_attn_implementation("eager")
    return model.eval()


def main() -> None:
    """Measure, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=150)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    reference = beto()

    def original(length: int, rows: int) -> latency.Call:
        ids = torch.from_numpy(inputs(length, rows)["input_ids"])

        def call() -> None:
            with torch.inference_mode():
                reference(input_ids=ids, attention_mask=torch.ones_like(ids))

        return call

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        predictors: dict[str, Predictor] = {}
        for name in arguments.models:
            predictors |= made(name, Path(folder))
        for length, rows in (*((n, 1) for n in LENGTHS), (64, 32)):
            given = inputs(length, rows)
            calls = {
                name: lambda p=p, g=given: p.engine.run({n: g[n] for n in p.engine.inputs})
                for name, p in predictors.items()
            }
            taken = latency.in_turn(
                {**calls, "BETO": original(length, rows)},
                rounds=arguments.rounds if rows == 1 else max(20, arguments.rounds // 5),
                reference="BETO",
            )
            for name in calls:
                ratio = latency.ratio(taken["BETO"], taken[name])
                found.setdefault(name, {})[f"{rows}x{length}"] = {
                    "ratio": ratio.value, "low": ratio.low, "high": ratio.high,
                    **latency.summary(taken[name], rows),
                }  # fmt: skip
            print(
                rows,
                length,
                {n: round(f[f"{rows}x{length}"]["ratio"], 1) for n, f in found.items()},
            )
        texts = sentences(next(iter(predictors.values())))
        for name, p in predictors.items():
            found[name]["whole"] = whole(p, texts, arguments.rounds)
            print(name, found[name]["whole"], flush=True)
    report(found, len(texts), arguments)


def sentences(predictor: Predictor) -> list[str]:
    """Real sentences of 25 to 32 sub-words, those that are padded to 32."""
    task = source.load(DataConfig(task="ner-conll2002"))
    texts = [" ".join(e.texts[0].split()) for e in task.dev.examples]
    return [t for t in texts if 25 <= predictor._encode([predictor.kind.read(t)])[0].width <= 32]


def whole(predictor: Predictor, texts: Sequence[str], rounds: int) -> dict[str, float]:
    """Text in, entities out, another sentence each time, beside the bare graph at length 32."""
    given = inputs(32, 1)
    bare = {n: given[n] for n in predictor.engine.inputs}
    waiting = itertools.cycle(texts)
    taken = latency.in_turn(
        {
            "text": lambda: predictor(next(waiting)),
            "graph": lambda: predictor.engine.run(bare),
        },
        rounds=rounds,
    )
    return {
        "share": float(np.median(taken["graph"]) / np.median(taken["text"])),
        "text_ms": 1000 * float(np.median(taken["text"])),
        "graph_ms": 1000 * float(np.median(taken["graph"])),
    }


def report(found: dict[str, Any], texts: int, arguments: argparse.Namespace) -> None:
    """Print, and write where asked."""
    shapes = [*(f"1x{n}" for n in LENGTHS), "32x64"]
    rows = [
        [
            name,
            *(f"{f[s]['ratio']:.1f}" for s in shapes),
            *(f"{f[s]['p50_ms']:.2f}" for s in shapes),
            f"{100 * f['whole']['share']:.0f}%",
        ]
        for name, f in found.items()
    ]
    titles = [*(f"length {n}" for n in LENGTHS), "32 x 64"]
    heading = [
        "model", *(f"x BETO, {t}" for t in titles), *(f"ms, {t}" for t in titles), "text / graph",
    ]  # fmt: skip
    page = (
        "# Speed of exported models\n\n"
        f"{tables.markdown(heading, rows)}\n\n"
        "Ratio of medians to BETO's shape in transformers, eager attention, fp32, same length and batch; "
        "all in turn in one process, 2 threads, weights at random, a head for nine tags. The last column "
        "is the rate of the whole (text in, entities with characters out) as a share of the bare graph's, "
        f"over {texts:,} sentences of CoNLL-2002 (esp.testa) of 25 to 32 sub-words; untrained heads find "
        f"an entity in almost every word.\n\n{machine.footer('torch', 'transformers', 'openvino', 'nncf')}"
    )
    print(page)
    if arguments.out:
        arguments.out.write_text(page, encoding="utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
