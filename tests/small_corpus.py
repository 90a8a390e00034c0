"""A made-up corpus with copies: of documents, nearly of documents, of lines."""

import random
from pathlib import Path

from ligero.demo import generate

ASIDE = "Consulte el texto completo de esta noticia en la edición impresa del diario."
SHORT = "—Sí, señor."


def documents(count: int, seed: int = 0) -> list[str]:
    """Documents of some sentences; one in five copies an earlier one, one in five nearly does.

    One in three of the others holds ASIDE (77 characters), and one in three SHORT (11).
    """
    rng = random.Random(seed)
    sentences = [sentence.text for sentence in generate.sentences(600, seed)]
    made: list[str] = []
    while len(made) < count:
        what = rng.random() if made else 1.0
        if what < 0.2:
            made.append(rng.choice(made))
        elif what < 0.4:
            made.append(rng.choice(made).replace(" de ", " del ", 1))
        else:
            lines = [" ".join(rng.sample(sentences, 3)) for _ in range(rng.randint(2, 8))]
            lines += [line for line in (ASIDE, SHORT) if rng.random() < 1 / 3]
            rng.shuffle(lines)
            made.append("\n".join(lines))
    return made


def write(folder: Path, count: int = 240, seed: int = 0) -> list[Path]:
    """Two files of text and one of records, `count` documents together."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    texts = documents(count, seed)
    cuts = [texts[: count // 2], texts[count // 2 : count * 3 // 4], texts[count * 3 // 4 :]]
    files = [folder / "uno.txt", folder / "dos.jsonl", folder / "tres.txt"]
    for file, some in zip(files, cuts, strict=True):
        if file.suffix == ".txt":
            file.write_text("\n\n".join(some) + "\n", encoding="utf-8")
        else:
            records = (json.dumps({"text": text}, ensure_ascii=False) for text in some)
            file.write_text("\n".join(records) + "\n", encoding="utf-8")
    return files


def left(folder: Path) -> dict[str, bytes]:
    """Every file that a finished corpus is made of, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }
