"""Free tasks for where GLUES' own files cannot be had.

Two stand in for MLDoc, whose text is licensed. The others are GLUES tasks whose training files are
large, translated by machine, or gone from where they were: their validation file trains instead,
and their test file scores. What is learned from so little does not compare with published scores.
"""

from dataclasses import replace

from ligero.tasks.catalog import glues
from ligero.tasks.catalog.entry import Entry, HubFiles

_OF = {entry.name: entry for entry in glues.ENTRIES}


def _small(name: str, of: str) -> Entry:
    """A task that trains on another's validation file and is scored on its test file."""
    whole = _OF[of]
    return replace(
        whole,
        name=name,
        title=f"{whole.title}, trained on dev",
        files={"train": whole.files["dev"], "test": whole.files["test"]},
        counts={"train": whole.counts["dev"], "test": whole.counts["test"]},
        note="; ".join(
            note
            for note in (
                f"trains on the validation file of {of}, a fraction of what published scores had",
                whole.note,
            )
            if note
        ),
    )


ENTRIES = (
    Entry(
        name="news-topics",
        title="topics of Spanish news",
        kind="classify",
        format="tsv",
        folder="news-topics",
        files={"train": ("train.tsv",), "test": ("test.tsv",)},
        counts={"train": 676, "test": 290},
        checksums={
            "train.tsv": ("6f9b801eab0ad190ed2165dc83454442d6abcb15d2a8ceb4ae5df16832059d64",),
            "test.tsv": ("b8e4afdca01c75387c76520066d99aa706c56c1d151e797e77accdeb3e4298b4",),
        },
        metrics=glues.CLASSES,
        source="https://github.com/jpposadas/FakeNewsCorpusSpanish (column topic)",
        licence="CC BY 4.0",
        citation="Posadas-Durán et al. (2019), Detection of fake news in a new corpus for Spanish",
        note="stands in for MLDoc, whose text is licensed: other texts, other labels",
    ),
    Entry(
        name="topics-sib200",
        title="SIB-200 (Spanish)",
        kind="classify",
        format="tsv",
        folder="topics-sib200",
        files={"train": ("train.tsv",), "dev": ("dev.tsv",), "test": ("test.tsv",)},
        counts={"train": 701, "dev": 99, "test": 204},
        checksums={
            "train.tsv": ("274f9381c0e6cd8eebbe6dc66e04e8fe81866f565435b92204d212c13a6f5bd5",),
            "dev.tsv": ("53adba2773b99377133cfae38260df5badfbef541e73b674208395c2ae05f834",),
            "test.tsv": ("971fbbf0ed5e2f4d10953264c9d5ef05d854b654014d3a10b98f50a12443ea41",),
        },
        metrics=glues.CLASSES,
        source="https://github.com/dadelani/sib-200 (data/annotated/spa_Latn)",
        licence="Apache-2.0; CC BY-SA 4.0 on the hub",
        citation="Adelani et al. (2024), SIB-200: A Simple, Inclusive, and Big Evaluation Dataset for "
        "Topic Classification in 200+ Languages and Dialects",
        hub=HubFiles(
            repository="Davlan/sib200",
            revision="38977a667f6fc264d5c26ec57a01e16db040b358",
            files={split: f"data/spa_Latn/{split}.tsv" for split in ("train", "dev", "test")},
        ),
        note="stands in for MLDoc, whose text is licensed: other texts, other labels",
    ),
    _small("pawsx-small", of="pawsx"),
    _small("xnli-small", of="xnli"),
    _small("pos-ancora-small", of="pos-ancora"),
    replace(
        _OF["tar-xquad"],
        name="tar-small",
        title="SQuAD-es (TAR, small dev), scored on XQuAD (Spanish)",
        files={"train": ("tar/dev-v1.1-es_small.json",), "test": ("xquad/xquad.es.json",)},
        counts={"train": 6583, "test": 1190},
        checksums={
            "dev-v1.1-es_small.json": (
                "f7371e5800acc27bdb1bc213edc0126029007b335bb78ba8ab2ad2529227fdd7",
            ),
            "xquad.es.json": (glues.XQUAD_CHECKSUM,),
        },
        note="trains on a part of the development file of TAR, without the questions of XQuAD",
    ),
    _small("ud-ancora-small", of="ud-ancora"),
)
