"""GLUES (Cañete et al., 2020): the Spanish tasks that BETO, ALBETO and their students are judged by.

In the order of the papers' tables, with the dependency parsing of BETO's own benchmark at the end.
"""

from ligero.tasks.catalog.entry import Entry, HubFiles

CLASSES = ("accuracy", "macro_f1")
ENTITIES = ("f1", "precision", "recall", "accuracy")
TAGS = ("accuracy", "macro_f1", "chunk_f1")
ANSWERS = ("f1", "exact", "f1_english", "exact_english")
TREES = ("las", "uas", "las_no_punct", "uas_no_punct")

_ANCORA_SOURCE = "https://github.com/UniversalDependencies/UD_Spanish-AnCora"
_ANCORA_LICENCE = "CC BY 4.0 since release 2.9, GPL 3.0 before"
_ANCORA_FILES = {
    "train": ("es_ancora-ud-train.conllu",),
    "dev": ("es_ancora-ud-dev.conllu",),
    "test": ("es_ancora-ud-test.conllu",),
}
# Sentences of release 2.7, as the checksums below.
_ANCORA_COUNTS = {"train": 14305, "dev": 1654, "test": 1721}
_ANCORA_CHECKSUMS = {
    "es_ancora-ud-dev.conllu": (
        "ed7892d5b672908ee092989626e591bf38d19ed04b0feb54a91a06a2e5843de8",
    ),
    "es_ancora-ud-test.conllu": (
        "76e0b225339c974a57812fc12254261fecbe2953b1d7c6c561d98b121b5a0ca3",
    ),
}
_ANCORA_CITATION = (
    "Taulé, Martí and Recasens (2008), AnCora: Multilevel Annotated Corpora for Catalan and Spanish"
)

_SQAC_CHECKSUMS = {
    "train.json": "1d5c76176646e2ae7bdcd8b5ec6f18349102a9363aa25ad7d0e48262d7480d43",
    "dev.json": "ec748f222626e5081a34193ca469bcf8112092837678a6948a2d6ae7d6629d1a",
}
XQUAD_CHECKSUM = "dcbae93ec3a9f4b9e78fd834a171d6f96c1a875e10e15b7530b7e4ef4971e37e"

ENTRIES = (
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
        metrics=CLASSES,
        source="https://github.com/facebookresearch/MLDoc (needs the Reuters corpus RCV2)",
        licence="Reuters text, under agreement with NIST; news-topics is a free stand-in",
        citation="Schwenk and Li (2018), A Corpus for Multilingual Document Classification",
    ),
    Entry(
        name="pawsx",
        title="PAWS-X (Spanish)",
        kind="classify",
        format="csv",
        folder="pawsx",
        files={
            "train": ("translated_train.tsv",),
            "dev": ("dev_2k.tsv",),
            "test": ("test_2k.tsv",),
        },
        # Yang et al. (2019), Table 1: without the rows of which one text is the placeholder NS.
        counts={"train": 49401, "dev": 1962, "test": 1999},
        checksums={
            "dev_2k.tsv": ("a59b5161229c877fb79499100d798b6a71d84d564bb58303957ec8da3ca9111e",),
            # Without six rows whose label could not be verified: 1,993 examples.
            "test_2k.tsv": ("4b61efe84068f8f9fe53898e14ca3a5f68d5a8a76513074afb1ac6faa5d1793e",),
        },
        metrics=CLASSES,
        source="https://github.com/google-research-datasets/paws (PAWS-X, folder es)",
        licence="free use for any purpose, acknowledgement of Google appreciated",
        citation="Yang et al. (2019), PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase "
        "Identification",
    ),
    Entry(
        name="xnli",
        title="XNLI (Spanish)",
        kind="classify",
        format="tsv",
        folder="xnli",
        files={
            "train": ("multinli.train.es.tsv",),
            "dev": ("xnli.dev.es.tsv", "xnli.dev.tsv"),
            "test": ("xnli.test.es.tsv", "xnli.test.tsv"),
        },
        counts={"train": 392702, "dev": 2490, "test": 5010},
        checksums={
            "xnli.dev.es.tsv": (
                "28e1c5a4e161cf74ac40c084dbf511e781ad8638296e123ab744b566f26d660e",
            ),
            "xnli.test.es.tsv": (
                "07be44ef0c802a471755faa5538ceb71022cfac45fcc009262087cc856db45f0",
            ),
        },
        metrics=CLASSES,
        source="https://github.com/facebookresearch/XNLI (XNLI-1.0, and XNLI-MT-1.0 for train)",
        licence="CC BY-NC 4.0",
        citation="Conneau et al. (2018), XNLI: Evaluating Cross-lingual Sentence Representations",
        # What the machine-translated training file calls it.
        aliases={"contradictory": "contradiction"},
    ),
    Entry(
        name="pos-ancora",
        title="POS, UD Spanish AnCora",
        kind="tag",
        format="conllu",
        folder="pos-ancora",
        files=_ANCORA_FILES,
        counts=_ANCORA_COUNTS,
        checksums=_ANCORA_CHECKSUMS,
        metrics=TAGS,
        source=_ANCORA_SOURCE,
        licence=_ANCORA_LICENCE,
        citation=_ANCORA_CITATION,
    ),
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
        checksums={
            "esp.train": ("a20d95cab7d88a19a86f8c1ad6329325c99fbd9529ed978cbd7e31d4b01b4008",),
            "esp.testa": ("85c17793b77881c53d19017d9d0f1e6fb98b7ddcab54a5f24b05ed1793103c87",),
            "esp.testb": ("1f8f7a392c6d4979a5592a5794eed43d7869b46da6851bbcde99714149f1d016",),
        },
        metrics=ENTITIES,
        source="https://www.cnts.ua.ac.be/conll2002/ner/",
        licence="for research (EFE news, CoNLL-2002 shared task)",
        citation="Tjong Kim Sang (2002), Introduction to the CoNLL-2002 Shared Task",
    ),
    Entry(
        name="mlqa",
        title="MLQA (Spanish)",
        kind="answer",
        format="squad",
        folder="mlqa",
        files={
            "train": ("es_squad-translate-train-train-v1.1.json",),
            "dev": ("dev-context-es-question-es.json",),
            "test": ("test-context-es-question-es.json",),
        },
        counts={"dev": 500, "test": 5253},
        checksums={
            "dev-context-es-question-es.json": (
                "e9f057ed81a6ca652eda2f610a66d06cc9fe0944c0c3efd854fab1b60b6a687a",
            ),
        },
        metrics=ANSWERS,
        source="https://github.com/facebookresearch/MLQA (MLQA_V1, and translate-train for train)",
        licence="CC BY-SA 3.0",
        citation="Lewis et al. (2020), MLQA: Evaluating Cross-lingual Extractive Question Answering",
    ),
    Entry(
        name="sqac",
        title="SQAC",
        kind="answer",
        format="squad",
        folder="sqac",
        files={"train": ("train.json",), "dev": ("dev.json",), "test": ("test.json",)},
        counts={"dev": 1864, "test": 1910},
        checksums={file: (known,) for file, known in _SQAC_CHECKSUMS.items()},
        metrics=ANSWERS,
        source="https://huggingface.co/datasets/PlanTL-GOB-ES/SQAC",
        licence="CC BY-SA 4.0",
        citation="Gutiérrez-Fandiño et al. (2022), MarIA: Spanish Language Models",
        hub=HubFiles(
            repository="PlanTL-GOB-ES/SQAC",
            revision="f9928e8819596a601b8887cc5f8598b15d589a82",
            files={"train": "train.json", "dev": "dev.json", "test": "test.json"},
            sha256={
                "train": _SQAC_CHECKSUMS["train.json"],
                "dev": _SQAC_CHECKSUMS["dev.json"],
            },
        ),
    ),
    Entry(
        name="tar-xquad",
        title="SQuAD-es (TAR), scored on XQuAD (Spanish)",
        kind="answer",
        format="squad",
        folder=".",
        files={
            "train": ("tar/train-v1.1-es.json",),
            "dev": ("tar/dev-v1.1-es.json",),
            "test": ("xquad/xquad.es.json",),
        },
        counts={"test": 1190},
        checksums={
            "train-v1.1-es.json": (
                "196cfa14b6ba7d903f02e6edc20485bb959b72c965b6a2d6883b8ffd74dc2c3b",
            ),
            "dev-v1.1-es.json": (
                "969c846df740ee2725ac23b4d2882a58ef19a4c696767b306227c243ed99f461",
            ),
            "xquad.es.json": (XQUAD_CHECKSUM,),
        },
        metrics=ANSWERS,
        source="https://github.com/ccasimiro88/TranslateAlignRetrieve (SQuAD-es-v1.1), test: "
        "https://github.com/google-deepmind/xquad",
        licence="CC BY 4.0; XQuAD: CC BY-SA 4.0",
        citation="Carrino, Costa-jussà and Fonollosa (2020), Automatic Spanish Translation of SQuAD; "
        "Artetxe, Ruder and Yogatama (2020), On the Cross-lingual Transferability of Monolingual "
        "Representations",
        # XQuAD is a part of SQuAD's development set, which TAR translated whole.
        drop_ids_of="test",
    ),
    Entry(
        name="ud-ancora",
        title="dependencies, UD Spanish AnCora",
        kind="parse",
        format="conllu",
        folder="pos-ancora",
        files=_ANCORA_FILES,
        counts=_ANCORA_COUNTS,
        checksums=_ANCORA_CHECKSUMS,
        metrics=TREES,
        source=_ANCORA_SOURCE,
        licence=_ANCORA_LICENCE,
        citation=_ANCORA_CITATION,
        note="BETO's published parsing scores are of release 2.2; scores of other releases do not "
        "compare exactly",
    ),
)
