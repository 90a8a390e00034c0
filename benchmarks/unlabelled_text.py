"""Text without labels for distillation, from the training files of other tasks ($LIGERO_DATA).

    python benchmarks/unlabelled_text.py --out runs/unlabelled

Spanish news (the articles of news-topics), Wikipedia (the contexts of TAR and MLQA, the sentences of
PAWS-X) and what news agencies wrote (UD AnCora): the same kinds of text that the tasks are of, and none of
any task's test files. Licences: CC BY 4.0 (news-topics, TAR, AnCora), CC BY-SA 3.0 (MLQA), free use (PAWS-X).
"""

import argparse
import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ligero.runs import write_text
from ligero.tasks import formats


def main() -> None:
    """Write a text file for each source, a blank line between documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--entities", action="store_true",
        help="also the sentences of CoNLL-2002's training file: to pre-train on, not to distil with",
    )  # fmt: skip
    arguments = parser.parse_args()
    out = arguments.out
    data = Path(os.environ["LIGERO_DATA"])
    data = data / "glues" if (data / "glues").is_dir() else data
    out.mkdir(parents=True, exist_ok=True)
    sources = {
        "news": news(data / "news-topics/train.tsv"),
        "wikipedia": [
            *contexts(data / "tar/dev-v1.1-es_small.json", without=data / "xquad/xquad.es.json"),
            *contexts(data / "mlqa/dev-context-es-question-es.json"),
            *pairs(data / "pawsx/dev_2k.tsv"),
        ],
        "agencies": sentences(data / "pos-ancora/es_ancora-ud-dev.conllu"),
    }
    if arguments.entities:
        sources["entities"] = sentences(data / "ner-conll2002/esp.train")
    for name, documents in sources.items():
        texts = list(dict.fromkeys(" ".join(text.split()) for text in documents))
        write_text(out / f"{name}.txt", "\n\n".join(texts) + "\n")
        print(f"{name}: {len(texts):,} documents, {sum(len(t.split()) for t in texts):,} words")


def news(path: Path) -> Iterator[str]:
    """The articles of a file of labels and texts."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield line.split("\t", 1)[1]


def contexts(path: Path, without: Path | None = None) -> Iterator[str]:
    """The contexts of a SQuAD file that no question of another is about."""
    left_out = {q["id"] for p in paragraphs(without) for q in p["qas"]} if without else set()
    for paragraph in paragraphs(path):
        if not any(question["id"] in left_out for question in paragraph["qas"]):
            yield paragraph["context"]


def paragraphs(path: Path) -> Iterable[dict[str, Any]]:
    """Contexts and their questions."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return (paragraph for article in articles for paragraph in article["paragraphs"])


def pairs(path: Path) -> Iterator[str]:
    """The first sentence of each pair: the second says the same in other words."""
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["sentence1"] != "NS":
                yield row["sentence1"]


def sentences(path: Path) -> Iterator[str]:
    """The sentences of a file of tagged words."""
    for example in formats.read(str(path), kind="tag").examples:
        yield example.texts[0]


if __name__ == "__main__":
    main()
