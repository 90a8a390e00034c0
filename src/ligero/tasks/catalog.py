"""The known tasks, as data: kind, files, counts, licence, where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ligero.errors import unknown


@dataclass(frozen=True)
class Entry:
    """One task.

    folder: name of its folder beneath the data folder (or beneath its `glues/`).
    files: split -> names under which the file goes around, the first being the usual one. A split
        without a file is cut from train ("dev") or does without ("test").
    counts: split -> examples in the complete file, by which a partial download is noticed.
    source, licence, citation: where the files come from, under what terms, and what to cite.
    """

    name: str
    title: str
    kind: str
    format: str
    folder: str
    files: Mapping[str, tuple[str, ...]]
    source: str
    licence: str
    citation: str
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


TASKS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            name="ner-conll2002",
            title="NER CoNLL-2002 (Spanish)",
            kind="tag",
            format="conll",
            folder="ner-conll2002",
            files={
                "train": ("esp.train", "train.conll"),
                "dev": ("esp.testa", "dev.conll"),
                "test": ("esp.testb", "test.conll"),
            },
            counts={"train": 8323, "dev": 1915, "test": 1517},
            source="https://www.cnts.ua.ac.be/conll2002/ner/",
            licence="for research (EFE news, CoNLL-2002 shared task)",
            citation="Tjong Kim Sang (2002), Introduction to the CoNLL-2002 Shared Task",
        ),
        Entry(
            name="mldoc",
            title="MLDoc (Spanish)",
            kind="classify",
            format="tsv",
            folder="mldoc",
            files={
                "train": ("spanish.train.10000", "es.train.10000", "train.tsv"),
                "dev": ("spanish.dev", "es.dev", "dev.tsv"),
                "test": ("spanish.test", "es.test", "test.tsv"),
            },
            counts={"train": 10000, "dev": 1000, "test": 4000},
            source="https://github.com/facebookresearch/MLDoc (needs the Reuters corpus RCV2)",
            licence="Reuters text, under agreement with NIST; news-topics is a free stand-in",
            citation="Schwenk and Li (2018), A Corpus for Multilingual Document Classification",
        ),
        Entry(
            name="news-topics",
            title="topics of Spanish news",
            kind="classify",
            format="tsv",
            folder="news-topics",
            files={"train": ("train.tsv",), "test": ("test.tsv",)},
            counts={"train": 676, "test": 290},
            source="https://github.com/jpposadas/FakeNewsCorpusSpanish (column topic)",
            licence="CC BY 4.0",
            citation="Posadas-Durán et al. (2019), Detection of fake news in a new corpus for Spanish",
            note="stands in for MLDoc, whose text is licensed: other texts, other labels",
        ),
    )
}


def find(name: str) -> Entry:
    """The task with this name; InputError with the nearest known ones otherwise."""
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]
