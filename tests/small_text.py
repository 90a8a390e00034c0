"""Shards so small that a whole pre-training takes seconds."""

import json
import random
from pathlib import Path

import numpy as np

import small
from ligero import runs, vocab
from ligero.corpus import shards
from ligero.demo import generate

# A long word, an unknown sign, a special token written out, and what only looks like a sentence's end.
ODD = (
    "Los EE.UU. de D. Juan 😀 desoxirribonucleicamente [MASK] pagan 3.000,5 €. ¿Sí? No… «Él» calla."
)


def documents(count: int, seed: int = 0, distinct: int = 0) -> list[str]:
    """Documents of one to four lines of one to five made-up sentences; every tenth has ODD too.

    distinct: how many sentences there are in all, the same for every seed; many, where left out.
    """
    rng = random.Random(seed)
    made_up = generate.sentences(distinct or 40 + 4 * count, 0 if distinct else seed)
    sentences = [sentence.text for sentence in made_up]
    made = []
    for number in range(count):
        lines = [
            " ".join(rng.sample(sentences, rng.randint(1, 5))) for _ in range(rng.randint(1, 4))
        ]
        made.append("\n".join([*lines, ODD] if number % 10 == 3 else lines))
    return made


def write(place: Path, texts: list[str], tokenizer: Path, parts: int = 3) -> Path:
    """Shards of `texts` in `place`, cut by the tokenizer in a folder."""
    import polars as pl

    corpus = place.with_name(f"{place.name}-text")
    for number, some in enumerate(np.array_split(np.array(texts, dtype=object), parts)):
        part = corpus / "text" / f"part-{number:05d}"
        part.mkdir(parents=True)
        pl.DataFrame({"text": list(some)}).write_parquet(part / "text.parquet")
    runs.write_manifest(corpus)
    shards.build(corpus, tokenizer, place, 1)
    return place


def make(
    place: Path,
    count: int = 60,
    *,
    algorithm: str = "unigram",
    size: int = 500,
    distinct: int = 0,
) -> Path:
    """A folder with a vocabulary, `train` and `valid` shards of other text."""
    train = documents(count, 0, distinct)
    made = vocab.train(train, algorithm=algorithm, size=size)
    vocab.save(made, place / "vocab", max_length=64)
    write(place / "train", train, place / "vocab")
    write(place / "valid", documents(max(6, count // 8), 1, distinct), place / "vocab", 1)
    return place


def settings(place: Path, out: Path, **changes) -> dict:
    """A pre-training in two phases of some twenty steps together that saves at every step."""
    first = {"length": 24, "batch_size": 4, "steps": 12, "learning_rate": 2e-3}
    return {
        "model": small.STUDENT,
        "shards": str(place / "train"),
        "valid": str(place / "valid"),
        "phase": first,
        "then": [{"length": 32, "batch_size": 3, "steps": 7, "learning_rate": 1e-3}],
        # Dropout, so that chance counts.
        "dropout": 0.1,
        "precision": "fp32",
        "batch_tokens": 64,
        "evaluate_steps": 5,
        "evaluate_windows": 4,
        "checkpoint_seconds": 0.0,
        "place": {"out": str(out), "threads": 1},
        **changes,
    }


def toml(values: dict) -> str:
    """Settings as a TOML file has them."""
    tables, lines = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            tables += [f"[{key}]", toml(value)]
        elif isinstance(value, list):
            tables += [line for table in value for line in (f"[[{key}]]", toml(table))]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join([*lines, *tables])
