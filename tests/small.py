"""Models and data so small that a whole run takes seconds: what the tests of faults work on."""

import contextlib
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ligero.models import catalog
from ligero.runs import sha256

TEACHER, STUDENT = "small-teacher", "small-student"
TINY = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}

_NAMES = {
    "PER": ("Ana García", "Pedro Núñez", "Lucía", "Íñigo Peña"),
    "LOC": ("Córdoba", "La Rioja", "Perú", "Santa Fe"),
}
_SENTENCES = (
    "{PER} vive en {LOC} desde mayo .",
    "Ayer llegó {PER} a {LOC} .",
    "¿ Conoce usted {LOC} , señor ?",
    "La niña y {PER} comieron pan .",
    "Mañana lloverá en {LOC} y en {LOC} .",
)
_TOPICS = {
    "deporte": "gol partido equipo liga árbitro".split(),
    "economía": "banco deuda mercado euro bolsa".split(),
}


_FORMS = {
    "DET": ("la", "una", "esta"),
    "NOUN": ("niña", "casa", "sopa", "mesa"),
    "VERB": ("come", "mira", "lava", "busca"),
}
_TREES = (
    "DET 2 det | NOUN 3 nsubj | VERB 0 root",
    "DET 2 det | NOUN 3 nsubj | VERB 0 root | DET 5 det | NOUN 3 obj",
    "VERB 0 root | DET 3 det | NOUN 1 obj",
)


@contextlib.contextmanager
def known() -> Iterator[None]:
    """The two shapes, known to every verb within the block."""
    before = dict(catalog.MODELS)
    register()
    try:
        yield
    finally:
        catalog.MODELS.clear()
        catalog.MODELS.update(before)


def register() -> None:
    """Make the two shapes known to every verb. The teacher has dropout, so that chance counts."""
    bert, micro = catalog.MODELS["beto-cased"], catalog.MODELS["ligero-micro"]
    catalog.MODELS[TEACHER] = replace(
        bert, name=TEACHER, hub=None, learning_rate=2e-3,
        config={**bert.config, **TINY, "num_hidden_layers": 2},
    )  # fmt: skip
    catalog.MODELS[STUDENT] = replace(
        micro, name=STUDENT, learning_rate=2e-3, config={**micro.config, **TINY}
    )


def conll(count: int, seed: int) -> str:
    """`count` tagged sentences as CoNLL text."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        for word in rng.choice(_SENTENCES).split():
            if word.startswith("{"):
                first, *others = rng.choice(_NAMES[word[1:-1]]).split()
                lines.append(f"{first} B-{word[1:-1]}")
                lines += [f"{other} I-{word[1:-1]}" for other in others]
            else:
                lines.append(f"{word} O")
        lines.append("")
    return "\n".join(lines) + "\n"


def tsv(count: int, seed: int) -> str:
    """`count` short texts with their topic as TSV text; both topics occur."""
    rng = random.Random(seed)
    topics = sorted(_TOPICS)
    rows = []
    for number in range(count):
        topic = topics[number % len(topics)]
        rows.append(f"{topic}\t{' '.join(rng.choices(_TOPICS[topic], k=5))} hoy")
    return "\n".join(rows) + "\n"


def squad(count: int, seed: int) -> str:
    """`count` questions after the person or the place of a sentence, as SQuAD JSON."""
    rng = random.Random(seed)
    paragraphs = []
    for number in range(count):
        person, place = rng.choice(_NAMES["PER"]), rng.choice(_NAMES["LOC"])
        context = f"Desde mayo {person} vive en {place}."
        question, answer = rng.choice((("¿Quién vive ahí?", person), ("¿Dónde vive?", place)))
        answers = [{"text": answer, "answer_start": context.index(answer)}]
        asked = [{"id": f"{seed}-{number}", "question": question, "answers": answers}]
        paragraphs.append({"context": context, "qas": asked})
    return json.dumps({"version": "1.1", "data": [{"title": "x", "paragraphs": paragraphs}]})


def conllu(count: int, seed: int) -> str:
    """`count` parsed sentences as CoNLL-U text; position and form say what a noun is."""
    rng = random.Random(seed)
    lines = []
    for number in range(count):
        lines.append(f"# sent_id = {seed}-{number}")
        for at, word in enumerate(rng.choice(_TREES).split(" | "), start=1):
            upos, head, relation = word.split()
            form = rng.choice(_FORMS[upos])
            lines.append(f"{at}\t{form}\t_\t{upos}\t_\t_\t{head}\t{relation}\t_\t_")
        lines.append("")
    return "\n".join(lines) + "\n"


WRITERS = {"conll": conll, "tsv": tsv, "json": squad, "conllu": conllu}


def write(folder: Path, train: int = 48, dev: int = 8, test: int = 8) -> Path:
    """The three files of every kind of task in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, count) in enumerate({"train": train, "dev": dev, "test": test}.items()):
        for ending, make in WRITERS.items():
            (folder / f"{name}.{ending}").write_text(make(count, seed), encoding="utf-8")
    return folder


def files(folder: Path, ending: str = "conll") -> list[str]:
    """The flags that give the files of one kind."""
    return [
        text
        for name in ("train", "dev", "test")
        for text in (f"--{name}", str(folder / f"{name}.{ending}"))
    ]


def left(folder: Path) -> dict[str, str]:
    """All that runs leave in a folder and that does not tell the time: file -> its hash."""
    kinds = ("*.safetensors", "metrics.jsonl", "tokenizer.json", "config.json")
    return {
        str(path.relative_to(folder)): sha256(path) for kind in kinds for path in folder.rglob(kind)
    }


def fit(prefix: str = "", epochs: int = 3) -> list[str]:
    """The flags of a short training run that saves at every step."""
    # Chosen by loss, the best weights are late ones, which every step before has gone into.
    settings = {"epochs": epochs, "batch-size": 8, "checkpoint-seconds": 0, "select": "loss"}
    return [text for key, value in settings.items() for text in (f"--{prefix}{key}", str(value))]


def compress(data: Path, out: Path, cache: Path) -> list[str]:
    """The whole road in some sixty steps."""
    return [
        "compress", *files(data), "--teacher", TEACHER, "--student", STUDENT,
        *fit("teacher-fit.", 4), *fit("student-fit.", 3), "--vocab.size", "300",
        "--distill.alpha", "0.3", "--out", str(out), "--cache", str(cache), "--threads", "1",
    ]  # fmt: skip


def finetune(data: Path, out: Path, model: str = STUDENT, ending: str = "conll") -> list[str]:
    """One model by gold labels in eighteen steps."""
    return [
        "finetune", *files(data, ending), "--model", model, *fit(), "--vocab.size", "300",
        "--out", str(out), "--threads", "1",
    ]  # fmt: skip
