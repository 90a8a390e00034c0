"""Files of every format, damaged at random: each loads with what was dropped, or is one line's error.

The damage is drawn from a seed, so that a failure names a file that can be made again.
"""

import json
import random
import time
import tracemalloc
from collections import Counter

import pytest

from ligero.errors import InputError
from ligero.tasks import formats
from ligero.tasks.kinds import KINDS

# For each of six formats; and for each of the real files, where these are at hand.
FILES = 1000
REAL_FILES = 200

# A file of some kilobytes is read in milliseconds; this is where something takes quadratic time.
SECONDS = 2.0

WORDS = "el la niño Coruña Ávila ¿qué? «sí», 3,5 % EE.UU. año-luz 10 000 y/o ¡ya! \u200b señor d'Or".split()


def sentence(draw, least=1, most=9):
    return " ".join(draw.choices(WORDS, k=draw.randint(least, most)))


def conll(draw):
    return "\n\n".join(
        "\n".join(f"{word} X {draw.choice(['O', 'B-LOC', 'I-LOC'])}" for word in sentence(draw).split())
        for _ in range(12)
    )  # fmt: skip


def conllu(draw):
    blocks = []
    for number in range(8):
        # Some have no id, and some one that may be the line of such a sentence.
        name = draw.choice([f"# sent_id = s{number}", f"# sent_id = {number * 9 + 2}", "# newpar"])
        rows = [name, f"# text = {sentence(draw)}"]
        for i in range(1, draw.randint(2, 8)):
            if draw.random() < 0.2:
                rows.append(f"{i}-{i}\tdel" + "\t_" * 8)
            # Mostly a tree under the first word; a second root now and then.
            head = draw.randint(min(1, i - 1), i - 1) if draw.random() < 0.97 else 0
            space = draw.choice(["_", "SpaceAfter=No"])
            rows.append(f"{i}\t{draw.choice(WORDS)}\t_\tX\t_\t_\t{head}\tdep\t_\t{space}")
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks) + "\n\n"


def tsv(draw):
    rows = [
        "\t".join([draw.choice(["es", "es", "en"]), draw.choice("abab-"), sentence(draw), sentence(draw)])
        for _ in range(12)
    ]  # fmt: skip
    return "\n".join(["language\tgold_label\tsentence1\tsentence2", *rows])


def csv(draw):
    rows = [*draw.choice([[], ["sep=;"]]), '"id";"etiqueta";"texto";"¿otra, más?"']
    for i in range(12):
        text = sentence(draw).replace(" ", draw.choice([" ", "\n", ' "" ', ";"]))
        rows.append(f'{i};{draw.choice("ab")};"{text}";x')
    return "\r\n".join([*rows, *draw.choice([[], [";;;"] * 3])])


def answers(draw, context):
    start = draw.randrange(len(context))
    text = context[start : start + draw.randint(0, 12)]
    return {"text": text, "answer_start": start + draw.choice([0, 0, 0, 2, -1 - start])}


def squad(draw):
    articles = []
    for a in range(3):
        context = sentence(draw, 20, 40)
        qas = [
            {"id": f"{a}.{q}", "question": sentence(draw), "answers": [answers(draw, context)]}
            for q in range(3)
        ]
        articles.append({"title": "t", "paragraphs": [{"context": context, "qas": qas}]})
    whole = {"version": "1.1", "data": articles}
    return json.dumps(whole, indent=draw.choice([None, 1]), ensure_ascii=draw.random() < 0.5)


def jsonl(draw):
    made = draw.choice(["answer", "tag", "classify"])
    rows = []
    for i in range(10):
        context = sentence(draw, 5, 20)
        found = answers(draw, context)
        columns = {"text": [found["text"]], "answer_start": [found["answer_start"]]}
        words = sentence(draw).split()
        rows.append({
            "answer": {"id": i, "question": sentence(draw), "context": context, "answers": columns},
            "tag": {"tokens": words, "ner_tags": ["O"] * len(words)},
            "classify": {"text": context, "label": draw.choice(["a", 1]), "language": "es"},
        }[made])  # fmt: skip
    return "\n".join(json.dumps(row, ensure_ascii=draw.random() < 0.5) for row in rows)


MAKERS = {f.__name__: f for f in (conll, conllu, tsv, csv, squad, jsonl)}
ENDINGS = {"squad": "json", "conll": "train"}


# --- what happens to files


def flip(draw, data):
    out = bytearray(data)
    for _ in range(draw.choice([1, 1, 3, 20])):
        out[draw.randrange(len(out))] = draw.randrange(256)
    return bytes(out)


def ascii_flip(draw, data):
    out = bytearray(data)
    for _ in range(draw.choice([1, 2, 5])):
        out[draw.randrange(len(out))] = draw.choice(b'\t\n ",;|{}[]:\\-_#0129aeN.')
    return bytes(out)


def lines(draw, data):
    out = data.split(b"\n")
    for _ in range(draw.choice([1, 1, 4])):
        i, j = draw.randrange(len(out)), draw.randrange(len(out))
        match draw.randrange(4):
            case 0:
                out[i] = b""
            case 1:
                out.insert(i, out[j])
            case 2:
                out[i], out[j] = out[j], out[i]
            case _ if len(out) > 1:
                del out[i]
    return b"\n".join(out)


def fields(draw, data):
    out = data.split(b"\n")
    i = draw.randrange(len(out))
    mark = draw.choice([m for m in (b"\t", b";", b",", b" ", b":") if m in out[i]] or [b"a"])
    cells = out[i].split(mark)
    j, k = draw.randrange(len(cells)), draw.randrange(len(cells))
    match draw.randrange(3):
        case 0:
            cells[j], cells[k] = cells[k], cells[j]
        case 1:
            cells[j] = b""
        case _:
            del cells[j]
    out[i] = mark.join(cells)
    return b"\n".join(out)


def values(draw, data):
    """Put an odd value where another one stood between quotes, spaces or tabs."""
    odd = [b"", b"-1", b"9" * 5000, b"9" * 3999, b"9" * 19, b"1e999", b"NaN", b"null", b"true", b"[]",
           b"{}", b'"', b'""',
           b"\\ud800", b"\\u0000", b"[" * 2000, b"a" * 20_000, b"1-2", b"1.1", b"_", b"NS", b"-",
           "\u200b".encode(), "\u2028".encode(), "\ufeff".encode(), b"\r", b"\x0c"]  # fmt: skip
    mark = draw.choice([m for m in (b'"', b"\t", b" ", b";", b"\n", b": ") if m in data] or [b"a"])
    cells = data.split(mark)
    cells[draw.randrange(len(cells))] = draw.choice(odd)
    return mark.join(cells)


def truncate(draw, data):
    return data[: draw.randrange(len(data))]


def encode(draw, data):
    at = draw.randrange(len(data))
    codec = draw.choice(["latin-1", "cp1252", "utf-16", "mac-roman", "cp850"])
    text = data.decode("utf-8", "replace").encode(codec, "replace")
    return (
        text
        if draw.random() < 0.3
        else data[:at] + text[at : at + draw.randint(1, 400)] + data[at:]
    )


def insert(draw, data):
    at = draw.choice([0, 0, draw.randrange(len(data))])
    what = draw.choice([b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 9, b"a" * 50_000, b"a b " * 20_000,
                        b'"', b"\n" * 500, b"\t" * 500, b"{" * 500, b"\xe2\x80", b"\r\n"])  # fmt: skip
    return data[:at] + what + data[at:]


DAMAGE = (flip, ascii_flip, lines, fields, values, truncate, encode, insert)


# --- what must hold


def check(path, **wanted):
    """Load one damaged file; "loaded", or the reason why not, in short."""
    started = time.process_time()
    try:
        split = formats.read(path, **wanted)
    except InputError as error:
        message = str(error)
        assert message.isprintable() and len(message) < 1500
        assert error.line is not None, message
        assert message.startswith(f"{path}:{error.line}: found "), message
        assert 1 <= error.line <= path.read_bytes().count(b"\n") + 1, message
        assert time.process_time() - started < SECONDS
        return error.found.split("(")[0][:25]
    assert time.process_time() - started < SECONDS
    assert split.kind == wanted.get("kind") or not wanted.get("kind")
    if split.kind == "parse":  # whatever is dropped is counted
        sentences = formats.read(path, **{**wanted, "kind": "tag"}).examples
        assert len(sentences) == len(split.examples) + len(split.changes)
    check_split(split, path.read_bytes().count(b"\n") + 1)
    return "loaded"


def check_split(split, count):
    """What training relies on: texts, spans inside them, as many labels as there are units."""
    assert split.examples and all(note.strip() for note in split.notes)
    ids = [example.id for example in split.examples]
    assert len(set(ids)) == len(ids)
    choices = (
        {choice.name for choice in KINDS[split.kind].choices} if split.kind in KINDS else set()
    )
    for example in split.examples:
        text, at = example.texts[-1], 0
        assert all(t.strip() for t in example.texts) and 1 <= example.line <= count
        "".join(example.texts).encode()  # no half surrogate pairs
        for start, end in example.words or ():
            assert at <= start < end <= len(text)
            at = end
        assert (example.words is not None) == (split.kind != "classify")
        for start, end in example.answers or ():
            assert 0 <= start < end <= len(text)
            assert any(s < end and e > start for s, e in example.words)
        units = 1 if split.kind == "classify" else len(example.words)
        if split.kind != "answer":
            assert example.gold and choices <= example.gold.keys()
            assert {len(labels) for labels in example.gold.values()} == {units}
            assert all(
                label is None or label for labels in example.gold.values() for label in labels
            )
    for change in split.changes:
        assert 1 <= change.line <= count
        assert change.action in ("dropped", "repaired") and change.reason


@pytest.mark.parametrize("format", MAKERS)
def test_damaged_files_load_or_say_why(format, tmp_path):
    outcomes = Counter()
    for seed in range(FILES):
        draw = random.Random(f"{format} {seed}")
        data = MAKERS[format](draw).encode()
        for damage in draw.choices(DAMAGE, k=draw.choice([1, 1, 1, 3])):
            data = damage(draw, data or b"a")
        path = tmp_path / f"{seed}.{draw.choice([ENDINGS.get(format, format), 'txt'])}"
        path.write_bytes(data)
        kind = draw.choice([*[None] * 9, "tag", "classify", "answer", "parse"])
        outcomes[check(path, format=draw.choice([None, format]), kind=kind)] += 1
    # Damage that always ended in errors, or never did, would test nothing.
    assert FILES // 10 < outcomes["loaded"] < FILES * 9 // 10
    assert len(outcomes) > 8, outcomes


@pytest.mark.parametrize("format", MAKERS)
def test_undamaged_files_load(format, tmp_path):
    for seed in range(20):
        path = tmp_path / f"{seed}.{ENDINGS.get(format, format)}"
        path.write_bytes(MAKERS[format](random.Random(seed)).encode())
        assert formats.guess(path) == format
        assert check(path) == "loaded"


REAL = {
    "ner-conll2002/esp.train": "conll",
    "pos-ancora/es_ancora-ud-dev.conllu": "conllu",
    "xnli/xnli.dev.es.tsv": "tsv",
    "pawsx/dev_2k.tsv": "csv",
    "xquad/xquad.es.json": "squad",
}


@pytest.mark.parametrize("name", REAL)
def test_damaged_slices_of_real_files(name, real_data, tmp_path):
    whole = (real_data / "glues" / name).read_bytes()
    outcomes = Counter()
    for seed in range(REAL_FILES):
        draw = random.Random(f"{name} {seed}")
        at = 0 if draw.random() < 0.5 else draw.randrange(len(whole))
        data = draw.choice(DAMAGE)(draw, whole[at : at + 20_000])
        path = tmp_path / f"{seed}{name[name.index('.', -8) :]}"
        path.write_bytes(data)
        outcomes[check(path, format=draw.choice([None, REAL[name]]))] += 1
    assert outcomes.total() == REAL_FILES and len(outcomes) > 3


@pytest.mark.parametrize("format", MAKERS)
def test_memory_stays_a_small_multiple_of_the_file(format, tmp_path):
    """Damage must not make a reader hoard: the peak is bounded by the file's size."""
    draw = random.Random(format)
    for seed in range(4):
        data = MAKERS[format](random.Random(seed)).encode()
        size = 200_000
        data = draw.choice(DAMAGE[4:])(draw, (data + b"\n\n") * (size // len(data)))
        path = tmp_path / f"{seed}.{ENDINGS.get(format, format)}"
        path.write_bytes(data)
        tracemalloc.start()
        check(path, format=format)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 5_000_000 + 40 * len(data)
