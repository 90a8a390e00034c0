"""The demo's files: CoNLL columns for names and parts of speech, MLDoc's layout for topics."""

import os
import random
from pathlib import Path

from ligero.demo.generate import Maker, Sentence
from ligero.demo.topics import TOPICS

_README = """\
# Made-up Spanish data / Datos inventados en español

**English.** Every sentence in this folder is made up: a program, `ligero.demo`, wrote it from
templates and lists of words with seed {seed}. No sentence reports anything that happened. People
are random pairs of given names and surnames; parties, newspapers, agencies and companies are
invented, but for two brands (Mercedes, Santander); real places and institutions are only names.
The data serve to try the tools and to test them. A score on them says nothing about real Spanish.

- `train.conll`, `dev.conll`, `test.conll` ({train}, {dev} and {test} sentences): one word a line,
  with its universal part of speech and its BIO tag (PER, LOC, ORG, MISC); a blank line after each
  sentence. About a quarter of the names of dev and test never occur in train.
- `topics-train.tsv`, `topics-dev.tsv`, `topics-test.tsv` (as many texts): topic, tab, text.
- `text.txt` ({text} sentences, one a line): text that nobody labelled, for a teacher to label. Its names
  are drawn as those of dev and test are; none of their sentences is in it.
- The same version of ligero and the same seed give the same bytes.
- Licence: CC0-1.0 or Apache-2.0, as you prefer.

To use data of your own: `ligero compress --train mine.conll --dev mine-dev.conll --test mine-test.conll`

**Español.** Todas las frases de esta carpeta son inventadas: las escribió un programa,
`ligero.demo`, a partir de plantillas y listas de palabras con la semilla {seed}. Ninguna frase
cuenta algo que haya sucedido. Las personas son combinaciones de nombres y apellidos al azar; las
empresas, los partidos, los diarios y las agencias son inventados, salvo dos marcas (Mercedes y
Santander); los lugares y las instituciones reales aparecen solo como nombres.
Los datos sirven para probar las herramientas y ponerlas a prueba. Un resultado con ellos no dice
nada sobre el español real.

- `train.conll`, `dev.conll`, `test.conll` ({train}, {dev} y {test} frases): una palabra por línea,
  con su categoría gramatical universal y su etiqueta BIO (PER, LOC, ORG, MISC); una línea en blanco
  después de cada frase. Cerca de una cuarta parte de los nombres de dev y test no aparece nunca en
  train.
- `topics-train.tsv`, `topics-dev.tsv`, `topics-test.tsv` (otros tantos textos): tema, tabulador,
  texto.
- `text.txt` ({text} frases, una por línea): texto que nadie ha etiquetado, para que lo etiquete el
  maestro. Sus nombres se eligen como los de dev y test; no contiene ninguna de sus frases.
- La misma versión de ligero y la misma semilla dan los mismos bytes.
- Licencia: CC0-1.0 o Apache-2.0, a su elección.

Con datos propios: `ligero compress --train mi.conll --dev mi-dev.conll --test mi-test.conll`
"""


# In the topic files, sentences that tell no topic: one text of two in eight says nothing (0.36² =
# 0.13), one of four in sixty, so that no classifier should reach 100 %.
_VAGUE = 0.36


def write(
    folder: Path,
    seed: int = 0,
    train: int = 1500,
    dev: int = 300,
    test: int = 300,
    text: int = 3000,
) -> None:
    """Write the demo's seven data files and its README.md into `folder`, each one atomically.

    train, dev, test: sentences in each CoNLL file, and texts in each topic file. text: sentences without
    labels. The same arguments give the same bytes. No sentence stands in two of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"train": train, "dev": dev, "test": test}
    seen: set[str] = set()
    for split, count in counts.items():
        held_out = split != "train"
        # A string seeds through SHA-512, so the streams are unrelated and the same everywhere.
        tagged = Maker(random.Random(f"{seed}/{split}/tags"), held_out, seen).make(count)
        _put(folder / f"{split}.conll", "".join(map(conll, tagged)))
        rng = random.Random(f"{seed}/{split}/topics")
        maker = Maker(rng, held_out, seen)
        lines = []
        for _ in range(count):
            topic = rng.choice(TOPICS)
            parts = [_stopped(s) for s in maker.make(rng.randint(2, 4), topic, _VAGUE)]
            lines.append(f"{topic}\t{' '.join(parts)}\n")
        _put(folder / f"topics-{split}.tsv", "".join(lines))
    plain = Maker(random.Random(f"{seed}/text"), held_out=True, seen=seen).make(text)
    _put(folder / "text.txt", "".join(f"{sentence.text}\n" for sentence in plain))
    _put(folder / "README.md", _README.format(seed=seed, text=text, **counts))


def conll(sentence: Sentence) -> str:
    """`sentence` as lines of word, part of speech and tag, and the blank line that ends it."""
    rows = zip(sentence.words, sentence.pos, sentence.tags, strict=True)
    return "".join(f"{' '.join(row)}\n" for row in rows) + "\n"


def _stopped(sentence: Sentence) -> str:
    text = sentence.text
    return text if text[-1] in ".?!»…" else f"{text}."


def _put(path: Path, text: str) -> None:
    # The process id keeps two writers of one folder off each other's temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
